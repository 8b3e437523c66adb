import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatLock } from "../../src/lockfile/format-lock.ts";
import { type Lock, type LockedRevision, lockDigest } from "../../src/lockfile/lock.ts";
import { hashFile, readLock, verifyLockedFiles } from "../../src/lockfile/read-lock.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

describe("revision files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }

  /** Writes a file for each revision, and returns a lockfile with their hashes. */
  function lockFiles(...ids: string[]): Lock {
    const lock = linearLock(...ids);
    write("alembic/env.py", "");
    for (const { file, id } of lock.revisions) write(file, `revision = "${id}"\n`);
    const revisions = lock.revisions.map((one) => ({ ...one, sha256: hashFile(join(folder, one.file)) }));
    return { ...lock, files: { "alembic/env.py": hashFile(join(folder, "alembic/env.py")) }, revisions };
  }

  it("match the lockfile, besides __init__.py and other files", () => {
    const lock = lockFiles("a", "b");
    write("alembic/versions/__init__.py", "");
    write("alembic/versions/README", "");
    assert.deepEqual(verifyLockedFiles(lock, folder), []);
  });

  it("are reported if changed, removed, or added", () => {
    const lock = lockFiles("a", "b");
    write("alembic/versions/a.py", "edited");
    rmSync(join(folder, "alembic/versions/b.py"));
    write("alembic/versions/c.py", "new");
    assert.deepEqual(verifyLockedFiles(lock, folder), [
      `alembic/versions/a.py (revision a) was changed. Restore it, or run: npm run unity -- lock --backend ${folder}`,
      `alembic/versions/b.py (revision b) was removed. Restore it, or run: npm run unity -- lock --backend ${folder}`,
      `alembic/versions/c.py is not in the lockfile. Run: npm run unity -- lock --backend ${folder}`,
    ]);
  });

  it("are reported if a file that they read, or env.py, is changed or removed", () => {
    const lock = lockFiles("a", "b");
    write("alembic/versions/a.sql", "SELECT 1");
    const files = { "alembic/versions/a.sql": hashFile(join(folder, "alembic/versions/a.sql")) };
    const [a, b] = lock.revisions as [LockedRevision, LockedRevision];
    const reading = {
      ...lock,
      revisions: [
        { ...a, files },
        { ...b, files: { "b.csv": "1" } },
      ],
    };
    write("alembic/versions/a.sql", "SELECT 2");
    write("alembic/env.py", "edited");
    assert.deepEqual(verifyLockedFiles(reading, folder), [
      `alembic/env.py was changed. Restore it, or run: npm run unity -- lock --backend ${folder}`,
      `alembic/versions/a.sql (revision a) was changed. Restore it, or run: npm run unity -- lock --backend ${folder}`,
      `b.csv (revision b) was removed. Restore it, or run: npm run unity -- lock --backend ${folder}`,
    ]);
  });

  it("are not compared if no folder of revisions exists", () => {
    assert.deepEqual(verifyLockedFiles(linearLock("a"), folder), []);
  });

  it("are reported if only some folders of revisions exist", () => {
    const lock = { ...lockFiles("a"), versionLocations: ["alembic/versions", "more"] };
    write("more/b.py", "");
    rmSync(join(folder, "alembic"), { recursive: true });
    assert.equal(verifyLockedFiles(lock, folder).length, 3);
  });

  it("in a package are not compared", () => {
    const { revisions, ...lock } = lockFiles("a");
    const [b] = linearLock("b").revisions.map((each) => ({
      ...each,
      file: "shop:versions/b.py",
      downRevisions: ["a"],
    }));
    assert.ok(b);
    assert.deepEqual(verifyLockedFiles({ ...lock, revisions: [...revisions, b] }, folder), []);
  });

  it("require a lockfile", () => {
    assert.throws(
      () => readLock(join(folder, "none.json")),
      /lockfile .*none\.json not found\. Run: npm run unity -- lock/,
    );
  });

  it("of 1,000 revisions, with findings and locks, are read, verified and planned", () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `r${String(index).padStart(4, "0")}`);
    const path = join(folder, "migrations.lock.json");
    const written = lockFiles(...ids);
    const finding = { rule: "ban-drop-column", level: "error", statement: 0, message: "m", help: "h" } as const;
    const locks = ["t_r0000", "old"].map(
      (table) => ({ statement: 0, table, mode: "ACCESS EXCLUSIVE", blocks: "reads and writes" }) as const,
    );
    const revisions = written.revisions.map((revision) => ({ ...revision, findings: [finding], locks }));
    writeFileSync(path, formatLock({ ...written, revisions }));
    const lock = readLock(path);
    assert.deepEqual(verifyLockedFiles(lock, folder), []);
    assert.equal(lockDigest(lock).length, 64);
    const plan = makePlan({
      reading: { kind: "rows", rows: ["r0499"] },
      jobs: [],
      pods: [],
      lock,
      image: "backend:1",
      firstJobName: "job",
      toleratedRevisions: [],
      approvals: ids.map((revision) => ({ revision, rule: finding.rule })),
      pinnedHash: undefined,
      target: { context: "here", namespace: "unity" },
    });
    assert.deepEqual([plan.pending?.length, plan.job?.name], [500, "job"]);
  });
});
