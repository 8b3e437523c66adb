import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectedOf } from "../../src/checks/result.ts";
import { runChecks } from "../../src/checks/run.ts";
import { head } from "../../src/lockfile/lock.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { rehearsedSchema } from "../../src/lockfile/rehearsal.ts";
import { lockFile } from "../../src/paths.ts";
import { checkTarget } from "../support/checks.ts";
import { databaseWith, kubectlProgram } from "../support/fake-kubectl.ts";
import { deployment } from "../support/kubernetes.ts";

/** The logs take a moment. A schema that is read before has no object. */
const script = `#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
  *" get "*) exec cat items ;;
  *" logs "*) sleep 0.5; mv schema found; exit ;;
esac
if grep -q alembic-more; then cat found; else echo 'alembic-answer {"revisions": []}'; fi
`;

describe("the checks", () => {
  it("read the schema after the others, whatever the order of the results", async () => {
    const lock = readLock(lockFile);
    const schema = rehearsedSchema(lock, () => true) ?? assert.fail();
    using fake = kubectlProgram(script);
    const answers = {
      found: databaseWith(head(lock), { ...schema, tables: {} }),
      schema: databaseWith(head(lock), schema),
    };
    for (const [name, answer] of Object.entries(answers)) {
      writeFileSync(join(fake.folder, name), answer.output);
    }
    writeFileSync(join(fake.folder, "items"), JSON.stringify({ items: deployment(1) }));
    const target = checkTarget({ head: head(lock), checks: ["drift", "logs"] });
    const results = await runChecks(expectedOf(target, lock), () => {}, fake.kubectl);
    assert.deepEqual(
      results.map(({ name }) => name),
      ["drift", "logs"],
    );
    assert.equal(results[0]?.found, "0 differences");
  });
});
