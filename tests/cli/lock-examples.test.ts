import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { unityIn } from "./unity.ts";

/** Folders of the examples' apps, with the variables that their settings require. */
const apps: Readonly<Record<string, NodeJS.ProcessEnv>> = {
  "examples/notes/app": {},
  "examples/fastapi/backend": parseEnv(readFileSync(join(projectRoot, "examples/fastapi/.env.example"), "utf8")),
  "examples/flask/backend": { SECRET_KEY: "any" },
};

describe("the lockfiles of the examples", () => {
  for (const [app, variables] of Object.entries(apps)) {
    it(`are up to date, with all SQL known: ${app}`, async () => {
      const { code, stdout, stderr } = await unityIn(variables, "lock", "--check", "--backend", join(projectRoot, app));
      assert.equal(code, 0, `${stdout}${stderr}`);
      const path = join(projectRoot, app, "migrations.lock.json");
      const { env, revisions } = parseLock(readFileSync(path, "utf8"), path);
      assert.deepEqual(env.sql, []);
      assert.deepEqual(
        revisions.filter(({ upgrade, downgrade }) => upgrade.sql === null || downgrade.sql === null),
        [],
      );
    });
  }
});
