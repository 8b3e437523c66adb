import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatLock, type Lock, lockDigest } from "../../src/lockfile/lock.ts";
import { hashFile, readLock, verifyLockedFiles } from "../../src/lockfile/read-lock.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

describe("revision files beside the lock", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }

  /** @returns A lock of `ids` with the hashes of files that it writes. */
  function lockFiles(...ids: string[]): Lock {
    const lock = linearLock(...ids);
    for (const { file, id } of lock.revisions) write(file, `revision = "${id}"\n`);
    return { ...lock, revisions: lock.revisions.map((one) => ({ ...one, sha256: hashFile(join(folder, one.file)) })) };
  }

  it("are what was locked, with __init__.py and other files beside them", () => {
    const lock = lockFiles("a", "b");
    write("alembic/versions/__init__.py", "");
    write("alembic/versions/README", "");
    assert.deepEqual(verifyLockedFiles(lock, folder), []);
  });

  it("are told apart: changed, removed, added", () => {
    const lock = lockFiles("a", "b");
    write("alembic/versions/a.py", "edited");
    rmSync(join(folder, "alembic/versions/b.py"));
    write("alembic/versions/c.py", "new");
    assert.deepEqual(verifyLockedFiles(lock, folder), [
      "alembic/versions/a.py (revision a) was changed. Restore it, or run: npm run unity -- lock",
      "alembic/versions/b.py (revision b) was removed. Restore it, or run: npm run unity -- lock",
      "alembic/versions/c.py is not in the lockfile. Run: npm run unity -- lock",
    ]);
  });

  it("are not compared where no folder of revisions is", () => {
    assert.deepEqual(verifyLockedFiles(linearLock("a"), folder), []);
  });

  it("are missed one by one where only some folders are gone", () => {
    const lock = { ...lockFiles("a"), versionLocations: ["alembic/versions", "more"] };
    write("more/b.py", "");
    rmSync(join(folder, "alembic"), { recursive: true });
    assert.equal(verifyLockedFiles(lock, folder).length, 2);
  });

  it("need a lock", () => {
    assert.throws(
      () => readLock(join(folder, "none.json")),
      /lockfile .*none\.json not found\. Run: npm run unity -- lock/,
    );
  });

  it("of 1,000 revisions, with findings and locks, are read, verified and planned (the time is shown)", () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `r${String(index).padStart(4, "0")}`);
    const path = join(folder, "migrations.lock.json");
    const written = lockFiles(...ids);
    const finding = { rule: "ban-drop-column", level: "error", statement: 0, message: "m", help: "h" } as const;
    const locks = ["t_r0000", "old"].map(
      (table) => ({ statement: 0, table, mode: "ACCESS EXCLUSIVE", blocks: "reads and writes" }) as const,
    );
    const revisions = written.revisions.map((revision) => ({ ...revision, findings: [finding], locks }));
    writeFileSync(path, formatLock({ ...written, revisions }));
    const start = performance.now();
    const lock = readLock(path);
    assert.deepEqual(verifyLockedFiles(lock, folder), []);
    assert.equal(lockDigest(lock).length, 64);
    const plan = makePlan({
      reading: { kind: "rows", rows: ["r0499"] },
      jobs: [],
      lock,
      image: "backend:1",
      firstJobName: "job",
      toleratedRevisions: [],
      approvals: ids.map((revision) => ({ revision, rule: finding.rule })),
      pinnedHash: undefined,
      target: { context: "here", namespace: "unity" },
    });
    const milliseconds = Math.round(performance.now() - start);
    assert.deepEqual([plan.pending?.length, plan.job?.name], [500, "job"]);
    console.log(`      1,000 revisions in ${milliseconds} ms`);
  });
});
