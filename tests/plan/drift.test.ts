import assert from "node:assert/strict";
import { compareSchemas } from "../../src/lockfile/database-schema/changes.ts";
import { type DatabaseSchema, emptySchema, type Table } from "../../src/lockfile/database-schema/database-schema.ts";
import type { LockedEffects } from "../../src/lockfile/evidence.ts";
import { packChanges } from "../../src/lockfile/evidence.ts";
import type { Lock } from "../../src/lockfile/lock.ts";
import { type DriftReport, describeDrift, findDrift, readDrift } from "../../src/plan/drift.ts";
import { lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const base: DatabaseSchema = { ...emptySchema, schemas: { public: {} } };
const table: Table = { kind: "table", columns: { id: { type: "bigint" } } };
const withTables = (...names: string[]): DatabaseSchema => ({
  ...base,
  tables: Object.fromEntries(names.map((name) => [`public.${name}`, table])),
});
const effects = (from: DatabaseSchema, to: DatabaseSchema, more: Partial<LockedEffects> = {}) => ({
  rehearsed: { locks: [], changes: packChanges(compareSchemas(from, to)), downgrade: "complete" as const, ...more },
});
const rehearsal = { chain: "", postgres: "17", env: [], models: null };

function chain(second: object = effects(withTables("a"), withTables("a", "b"))): Lock {
  const revisions = [
    lockedRevision("r1", effects(base, withTables("a"))),
    lockedRevision("r2", { downRevisions: ["r1"], ...second }),
  ];
  return { ...lockOf(revisions), rehearsal };
}

const at = (rows: readonly string[] | null, schema?: DatabaseSchema) =>
  ({ kind: "rows", rows, ...(schema && { schema: { version: "17", schema } }) }) as const;

describe("drift of a database that was read", () => {
  it("is that from the schema at its revision", async () => {
    const none = { missing: [], extra: [], different: [], ignored: 0 };
    assert.deepEqual(await readDrift(at(["r1"], withTables("a")), chain(), {}), { revision: "r1", ...none });
    assert.deepEqual(await readDrift(at(["r2"], withTables("a", "b")), chain(), {}), { revision: "r2", ...none });
    assert.deepEqual(await readDrift(at(["r2"], withTables("a", "tmp")), chain(), { driftIgnore: ["public.tmp"] }), {
      ...{ revision: "r2", missing: ["- table public.b"], extra: [], different: [], ignored: 1 },
    });
  });

  it("is none of what has no revision, or wasn't read", async () => {
    assert.equal(await readDrift(at(null), chain(), {}), null);
    assert.equal(await readDrift(at([]), chain(), {}), null);
    assert.equal(await readDrift({ kind: "not-deployed" }, chain(), {}), null);
  });

  it("is unknown without evidence, with the command that records it", async () => {
    const schema = withTables("a");
    const cases: readonly [Lock, RegExp, RegExp | null][] = [
      [chain({}), /^revision r2 was not rehearsed$/, / rehearse/],
      [chain(effects(base, base, { nondeterministic: true })), /^two runs of revision r2 differ$/, null],
      [chain(effects(base, base, { variable: "REGION" })), /^revision r2 depends on the variable REGION$/, null],
    ];
    for (const [lock, reason, command] of cases) {
      const report = await readDrift(at(["r2"], schema), lock, {});
      assert.ok(report !== null && "reason" in report);
      assert.match(report.reason, reason);
      if (command === null) assert.equal(report.command, null);
      else assert.match(report.command ?? "", command);
    }
    const later = await readDrift(at(["r3"], schema), chain(), {});
    assert.deepEqual(later, { reason: "the lockfile lacks revision r3", command: null });
    const failed = await readDrift({ ...at(["r1"]), schema: { cause: "timeout" } }, chain(), {});
    assert.deepEqual(failed, { reason: "can't read the live schema: timeout", command: null });
  });

  it("is unknown of a chain that was never rehearsed, and then no matter of its plans", async () => {
    const { rehearsal: _, ...plain } = chain();
    const found = await findDrift(at(["r2"]), plain, {});
    assert.ok(found !== null && "reason" in found);
    assert.equal(found.reason, "the chain was not rehearsed");
    assert.match(found.command ?? "", / rehearse/);
    assert.equal(await readDrift(at(["r2"]), plain, {}), null);
  });

  it("is described in lines, of which a plan shows the first", () => {
    const report = { revision: "r2", missing: ["- table a"], extra: [], different: [], ignored: 2 };
    assert.deepEqual(describeDrift(null), []);
    assert.deepEqual(describeDrift({ ...report, missing: [] }), []);
    const [first, second, hint] = describeDrift(report);
    assert.equal(first, "Drift: 1 missing (2 ignored), compared with the schema at r2:");
    assert.equal(second, "  - table a");
    assert.match(hint ?? "", /^To inspect, adopt, or revert it, run: .* drift$/);
    const many: DriftReport = { ...report, extra: Array.from({ length: 30 }, (_, index) => `+ table t${index}`) };
    assert.ok(describeDrift(many).includes("  … and 11 more"));
    const unknown = describeDrift({ reason: "the chain was not rehearsed", command: "rehearse it" });
    assert.deepEqual(unknown, ["Drift: unknown: the chain was not rehearsed. To record its effects, run: rehearse it"]);
  });
});
