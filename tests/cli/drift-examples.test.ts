import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { alembicCommand } from "../../src/cli/alembic.ts";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { readDrift } from "../../src/plan/drift.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { schemaAfter } from "./live-schema.ts";
import { alembicPython } from "./unity.ts";

const dotenv = parseEnv(readFileSync(join(projectRoot, "examples/fastapi/.env.example"), "utf8"));
/** Folders of apps, with the variables that they need besides DATABASE_URL. */
const apps: Readonly<Record<string, (url: URL) => NodeJS.ProcessEnv>> = {
  backend: () => ({}),
  "examples/notes/app": () => ({}),
  "examples/fastapi/backend": ({ hostname, port, username, pathname }) => ({
    ...dotenv,
    ...{ POSTGRES_SERVER: hostname, POSTGRES_PORT: port, POSTGRES_USER: username, POSTGRES_DB: pathname.slice(1) },
  }),
  "examples/flask/backend": () => ({ SECRET_KEY: "any" }),
};

describe("drift of a database that Alembic alone has migrated", () => {
  let postgres: Postgres;
  let python: string;
  before(async () => {
    [postgres, python] = await Promise.all([startPostgres(), alembicPython()]);
  });
  after(() => postgres?.stop());

  for (const [index, [folder, variables]] of Object.entries(apps).entries()) {
    it(`is none for ${folder}`, async () => {
      const cwd = join(projectRoot, folder);
      const lock = readLock(join(cwd, "migrations.lock.json"));
      const requirements = join(cwd, "requirements.txt");
      const interpreter = await pythonEnvironment({
        requirements,
        report: (line) => process.stderr.write(`${line}\n`),
      });
      schemaAfter(python, postgres.url, [`CREATE DATABASE app${index}`]);
      const url = postgres.url.replace(/[^/]+$/, `app${index}`);
      const path = [dirname(interpreter), process.env.PATH].join(delimiter);
      const own = { DATABASE_URL: url, PATH: path, PYTHONDONTWRITEBYTECODE: "1", ...variables(new URL(url)) };
      const options = { cwd, env: { ...process.env, ...own }, encoding: "utf8" } as const;
      const { status, stderr } = spawnSync("sh", ["-c", alembicCommand(lock.alembic)], options);
      assert.equal(status, 0, stderr);
      const schema = { version: "15", schema: schemaAfter(python, url, []) };
      const report = await readDrift({ kind: "rows", rows: lock.heads, schema }, lock, {});
      const none = { missing: [], extra: [], different: [], ignored: 0 };
      assert.deepEqual(report, { revision: lock.heads.join(", "), ...none });
    });
  }
});
