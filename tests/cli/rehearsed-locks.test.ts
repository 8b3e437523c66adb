import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { knownSql, type Lock, type LockedRevision } from "../../src/lockfile/lock.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { rehearsedSchema } from "../../src/lockfile/rehearsal.ts";
import { type LockMode, stronger } from "../../src/lockfile/statement-lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject } from "../fixtures/chains/project.ts";
import { statementForms } from "../fixtures/chains/statement-forms.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython, unityIn } from "./unity.ts";

type Locks = Record<string, LockMode>;

/** Returns the strongest lock on each table in each transaction, and in each statement that commits itself. */
function byTransaction(revision: LockedRevision, locks: readonly (readonly [number, string, LockMode])[]): Locks[] {
  const found: Locks[] = [{}];
  let isAlone = false;
  for (const [index, sql] of (knownSql(revision.upgrade) ?? []).entries()) {
    if (sql === "COMMIT;" || sql === "BEGIN;") isAlone = sql === "COMMIT;";
    if (isAlone || sql === "BEGIN;") found.push({});
    const last = found.at(-1) as Locks;
    for (const [statement, table, mode] of locks)
      if (statement === index) last[table] = stronger(mode, last[table] ?? mode);
  }
  return found;
}

/** Compares the locks that a rehearsal found with those of the linter's table, on the tables that exist before. */
function compare(lock: Lock): void {
  for (const [index, revision] of lock.revisions.entries()) {
    const earlier = new Set(lock.revisions.slice(0, index).map(({ id }) => id));
    const before = rehearsedSchema(lock, (id) => earlier.has(id));
    assert.ok(before && revision.rehearsed, revision.id);
    const names = new Set(
      Object.keys({ ...before.tables, ...before.views }).map((name) => name.replace(/^public\./, "")),
    );
    const derived = revision.locks.flatMap(({ statement, table, mode }) =>
      table !== null && mode !== null && names.has(table) ? [[statement, table, mode] as const] : [],
    );
    const taken = revision.rehearsed.locks.map(
      ([statement, table, mode]) => [statement, table.replace(/^public\./, ""), mode] as const,
    );
    assert.deepEqual(byTransaction(revision, derived), byTransaction(revision, taken), revision.id);
  }
}

function read(folder: string): Lock {
  return parseLock(readFileSync(join(folder, "migrations.lock.json"), "utf8"), folder);
}

describe("locks of a rehearsal, compared with those of the linter", () => {
  for (const folder of ["backend", "examples/notes/app", "examples/fastapi/backend", "examples/flask/backend"])
    it(`are the same for ${folder}`, () => compare(read(join(projectRoot, folder))));

  it("are the same for every form of a statement", async () => {
    const [postgres, python]: [Postgres, string] = await Promise.all([startPostgres(), alembicPython()]);
    const project = new ChainProject(statementForms);
    const args = ["--backend", project.folder, "--python", python];
    await unityIn({}, "lock", ...args);
    const { code, stdout } = await unityIn({ REHEARSAL_DATABASE_URL: postgres.url }, "rehearse", ...args);
    await postgres.stop();
    assert.equal(code, 0, stdout);
    compare(read(project.folder));
    project.delete();
  });
});
