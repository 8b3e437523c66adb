import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatTimes, type MeasuredTimes, readTimes, timesFileName } from "../../src/lockfile/measured-times.ts";
import { describePrediction, exceededTimeouts, predictTimes } from "../../src/plan/blocking-time.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { describePlan } from "../../src/plan/plan-report.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const indexed = lockedRevision("b", {
  downRevisions: ["a"],
  upgrade: { sql: ["CREATE INDEX ix ON events (at);", "ALTER TABLE events ADD CHECK (n > 0);"] },
});
const start = { transaction: 0, table: "public.events", fixed: 100, exponent: 1 };
const times: MeasuredTimes = {
  version: 1,
  like: "staging",
  revisions: {
    b: {
      sha256: indexed.sha256,
      statements: [
        { ...start, statement: 0, perMillionRows: 1000, locks: [["public.events", "SHARE"]] },
        { ...start, statement: 1, perMillionRows: 2000, locks: [["public.events", "ACCESS EXCLUSIVE"]] },
      ],
    },
  },
};
const limits = { statementTimeoutSeconds: 300, deadlineSeconds: 600 };
const predict = (rows: number) => predictTimes(times, [indexed], { "public.events": rows });

describe("expected times", () => {
  it("grow with the rows, and hold locks until the transaction ends", () => {
    const [first, second] = predict(10_000_000).get("b") ?? [];
    assert.deepEqual([first?.milliseconds, second?.milliseconds], [10_100, 20_100]);
    assert.deepEqual(first?.blocks, [{ table: "public.events", blocks: "writes", milliseconds: 30_200 }]);
    assert.deepEqual(second?.blocks, [{ table: "public.events", blocks: "reads and writes", milliseconds: 20_100 }]);
  });

  it("are those of other transactions apart", () => {
    const [first, second] = times.revisions.b?.statements ?? [];
    assert.ok(first && second);
    const apart = { b: { sha256: indexed.sha256, statements: [first, { ...second, transaction: 1 }] } };
    const found = predictTimes({ ...times, revisions: apart }, [indexed], { "public.events": 10_000_000 }).get("b");
    assert.equal(found?.[0]?.blocks[0]?.milliseconds, 10_100);
  });

  it("are unknown if the file has changed since, or nothing was measured", () => {
    assert.equal(predictTimes(times, [{ ...indexed, sha256: "0" }], {}).size, 0);
    assert.equal(predictTimes(undefined, [indexed], {}).size, 0);
  });

  it("say why a time is unknown, and the minimum of the locks that are held meanwhile", () => {
    const [first, second] = times.revisions.b?.statements ?? [];
    assert.ok(first && second);
    const unknown = { ...second, unknown: "public.events: it was never analyzed" };
    const revisions = { b: { sha256: indexed.sha256, statements: [first, unknown] } };
    const found = predictTimes({ ...times, revisions }, [indexed], { "public.events": 10_000_000 }).get("b") ?? [];
    assert.deepEqual(found.map(describePrediction), [
      "takes about 10s; blocks writes of events for at least 10s (10,000,000 rows of events)",
      "takes an unknown time; blocks reads and writes of events for an unknown time (10,000,000 rows of events); unknown because of events: it was never analyzed",
    ]);
    assert.deepEqual(exceededTimeouts([["b", found]], limits), []);
  });

  it("are unknown for many rows if they were measured on few", () => {
    const [first] = times.revisions.b?.statements ?? [];
    assert.ok(first);
    const revisions = { b: { sha256: indexed.sha256, statements: [{ ...first, small: true as const }] } };
    const describe = (rows: number) =>
      describePrediction(
        predictTimes({ ...times, revisions }, [indexed], { "public.events": rows }).get("b")?.[0] ?? assert.fail(),
      );
    assert.match(describe(999), /^takes about 0\.1s; /);
    assert.match(describe(1000), /^takes an unknown time; .*; unknown because of events: it had fewer than 1,000 rows/);
  });

  it("are compared with the timeouts", () => {
    assert.deepEqual(exceededTimeouts(predict(1_000_000), limits), []);
    assert.deepEqual(exceededTimeouts(predict(100_000_000), limits), [
      "a statement of revision b takes about 3m, which may exceed statementTimeoutSeconds (300)",
      "the migration takes about 5m, which may exceed deadlineSeconds (600)",
    ]);
    assert.deepEqual(exceededTimeouts(predict(1_000_000_000), limits), [
      "a statement of revision b takes about 33m, which exceeds statementTimeoutSeconds (300)",
      "the migration takes about 50m, which exceeds deadlineSeconds (600)",
    ]);
  });

  it("are shown by the plan for the live rows", () => {
    const plan = (sizes: Readonly<Record<string, number>> | undefined) =>
      describePlan(
        makePlan({
          reading: { kind: "rows", rows: ["a"], ...(sizes && { sizes }) },
          lock: lockOf([...linearLock("a").revisions, indexed]),
          image: "shop:1",
          firstJobName: "job-1",
          jobs: [],
          pods: [],
          times,
          timeouts: limits,
          approvals: [],
          pinnedHash: undefined,
          target: { context: "here", namespace: "shop" },
        }),
      );
    assert.match(
      plan({ "public.events": 8_200_000 }),
      /CREATE INDEX ix ON events \(at\);\n {11}takes about 8\.3s; blocks writes of events for about 25s \(8,200,000 rows of events\)\n/,
    );
    assert.match(
      plan({ "public.events": 500_000_000 }),
      /^Expected times: a statement of revision b takes about 17m, /m,
    );
    assert.match(
      plan({}),
      /\n {11}takes about 0\.1s; blocks writes of events for about 0\.2s \(under 1,000 rows of events\)\n/,
    );
    assert.doesNotMatch(plan(undefined), /takes/);
  });

  it("are read from the file beside the lockfile", () => {
    const folder = mkdtempSync(join(tmpdir(), "unity-times-"));
    const [lockFile, file] = [join(folder, "migrations.lock.json"), join(folder, timesFileName)];
    assert.equal(readTimes(lockFile), undefined);
    writeFileSync(file, formatTimes(times));
    assert.deepEqual(readTimes(lockFile), times);
    for (const text of ["{", formatTimes(times).replace("SHARE", "NONE"), formatTimes(times).replace("1,", "2,")]) {
      writeFileSync(file, text);
      assert.throws(() => readTimes(lockFile), /invalid .*migrations\.times\.json: .*rehearse --like/);
    }
    rmSync(folder, { recursive: true });
  });
});
