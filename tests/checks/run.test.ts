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
import { deployment, servingPod } from "../support/kubernetes.ts";

/** The response of /health takes a moment; a schema that is read before has no object. Another fact takes longer than that. */
const script = `#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
  *" get "*) exec cat items ;;
  *" python -"*)
    sleep 0.5
    mv schema found
    echo 'alembic-measured {"health": {"value": "{}"}}'
    until [ -e read ]; do sleep 0.1; done
    echo 'alembic-answer {"image": {"error": "no"}}'
    exit ;;
esac
if grep -q alembic-more; then touch read; cat found; else echo 'alembic-answer {"revisions": []}'; fi
`;

describe("the checks", () => {
  it("read the schema after the response of /health, and don't wait for others", async () => {
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
    writeFileSync(join(fake.folder, "items"), JSON.stringify({ items: [...deployment(1), servingPod("rs2")] }));
    const target = checkTarget({ head: head(lock), checks: ["image", "drift", "health"] });
    const results = await runChecks(expectedOf(target, lock), () => {}, fake.kubectl);
    assert.deepEqual(
      results.map(({ name }) => name),
      ["image", "drift", "health"],
    );
    assert.equal(results[1]?.found, "0 differences");
  });
});
