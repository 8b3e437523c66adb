import assert from "node:assert/strict";
import type { DatabaseFacts } from "../../src/checks/database-facts.ts";
import {
  evaluateConstraints,
  evaluateDrift,
  evaluateIndexes,
  evaluatePrivileges,
  evaluateReversible,
  evaluateRevision,
  evaluateSchema,
  evaluateTables,
  withSharedRole,
} from "../../src/checks/evaluate-database.ts";
import type { CheckFinding, DeclaredRelease } from "../../src/checks/result.ts";
import type { Job } from "../../src/cluster/objects.ts";
import type { SchemaChange } from "../../src/lockfile/database-schema/changes.ts";
import { emptySchema } from "../../src/lockfile/database-schema/database-schema.ts";
import type { Drift } from "../../src/lockfile/database-schema/drift.ts";
import type { ChainSchema } from "../../src/lockfile/schema/chain-schema.ts";
import type { TableSchema } from "../../src/lockfile/schema/schema.ts";
import { database, expected, privileges } from "../support/checks.ts";

const key = { name: "f", columns: ["a"], references: "t2", onDelete: "c" };
const t1: TableSchema = { columns: { a: "int8", v: "jsonb" }, foreignKeys: [key], indexes: { i: ["a", null] } };
const chain: ChainSchema = { tables: { t1 }, primaryKeys: {}, notValid: ["t1.chain"] };
const schema = "2 columns (1 JSONB), 1 foreign keys, 1 indexes";
const schemaOf = (changes: Partial<TableSchema>) =>
  evaluateSchema(database({ tables: { t1: { ...t1, ...changes } } }), chain, expected);
const constraints = (...notValid: string[]) => evaluateConstraints(database({ notValid }), chain);
const revision = (...revisions: string[]) => evaluateRevision(database({ revisions }), expected);
const recorded = (...heads: string[]) =>
  database({ revisions: ["next"], window: { image: "shop:2.0", startedAt: "2026-11-30", heads, end: null } });
const released = { ...expected, release: { jobName: "job-1" } as DeclaredRelease };
const job = (type?: string): Job => ({
  kind: "Job",
  metadata: { name: "job-1" },
  status: { conditions: type === undefined ? [] : [{ type, status: "True" }] },
});
const migrated = (of?: Job) => evaluateRevision(database(), released, of);
const uninitialized = "no version table: the database is uninitialized";
const tables = (changes: Partial<DatabaseFacts>) => evaluateTables(database(changes), expected);
const separate = { ...expected, applicationRole: "app" };
const rights = (changes: Parameters<typeof privileges>[0]) => evaluatePrivileges(privileges(changes), separate);
const [first, ...others] = expected.chain.revisions;
const chainWith = (reversible: boolean | null) => ({
  ...expected,
  chain: {
    ...expected.chain,
    revisions: first === undefined ? [] : [{ ...first, reversible, reversibleReason: "it passes" }, ...others],
  },
});

const change = (kind: "added" | "removed", name: string, ...path: string[]): SchemaChange => ({
  ...{ kind, object: { kind: "tables", name }, path, from: null, to: null },
});
const read = { rows: ["r2"] };
const noDrift: Drift = {
  ...{ missing: [], extra: [], different: [], expected: emptySchema, live: emptySchema },
  ignored: [change("added", "public.tmp")],
};
const expectedTables = { ...emptySchema, tables: { "public.t1": { kind: "table" } } } as Drift["expected"];
const extended: Drift = { ...noDrift, expected: expectedTables, extra: [change("added", "public.t3")] };
const drifted: Drift = {
  ...extended,
  missing: [change("removed", "public.t1", "indexes", "i")],
  extra: [...extended.extra, change("added", "public.t1", "indexes", "j")],
};
const accepted: [string, CheckFinding, string][] = [
  ["the head", revision("r2"), "r2"],
  ["a tolerated revision", revision("later"), "later"],
  ["a revision that the run record tolerates", evaluateRevision(recorded("r2"), expected), "next"],
  ["the complete Job of the release", migrated(job("Complete")), "r2"],
  ["all tables", tables({}), "2 tables"],
  ["the schema of the chain", schemaOf({}), schema],
  ["more than the chain creates", schemaOf({ columns: { ...t1.columns, b: "text" } }), schema],
  ["a foreign key of another name", schemaOf({ foreignKeys: [{ ...key, name: "g" }] }), schema],
  [
    "a later release's schema",
    evaluateSchema(database({ revisions: ["later"], tables: {} }), chain, expected),
    "not evaluated: later belongs to a later release",
  ],
  [
    "the schema of a release that the run record tolerates",
    evaluateSchema({ ...recorded("r2"), tables: {} }, chain, expected),
    "not evaluated: next belongs to a later release",
  ],
  ["valid indexes", evaluateIndexes(database()), "0 invalid indexes"],
  ["validated constraints", constraints(), "0 unvalidated constraints"],
  ["an unvalidated constraint of the chain", constraints("t1.chain"), "0 unvalidated constraints"],
  ["a role with its privileges", rights({}), "read/write on 2 tables, no DDL"],
  ["a shared role", withSharedRole(expected) ?? assert.fail(), "shared database role"],
  ["a reversible chain", evaluateReversible(expected), "0 missing downgrades"],
  [
    "an irreversible revision that the stack approves",
    evaluateReversible({ ...chainWith(false), irreversible: ["r1"] }),
    "0 missing downgrades",
  ],
  [
    "a revision that is unknown without a database",
    evaluateReversible(chainWith(null)),
    "0 missing downgrades; unknown without a database: r1",
  ],
  ["the rehearsed schema", evaluateDrift(read, { revision: "r2", drift: noDrift }), "0 differences (1 ignored)"],
  [
    "objects that no revision makes",
    evaluateDrift(read, { revision: "r2", drift: extended }),
    "0 differences (1 ignored, 1 object that no revision makes)",
  ],
  [
    "a chain without evidence",
    evaluateDrift(read, { reason: "the chain was not rehearsed", command: "rehearse" }),
    "not evaluated: the chain was not rehearsed; run: rehearse",
  ],
];

const rejected: [string, CheckFinding, string][] = [
  ["a failed Job of the release", migrated(job("Failed")), "r2; Job job-1 failed"],
  ["a running Job of the release", migrated(job()), "r2; Job job-1 running"],
  ["a release whose Job is not there", migrated(), "r2; Job job-1 missing"],
  ["an older revision", revision("r1"), "r1"],
  ["a revision at which the run record names other heads", evaluateRevision(recorded("r1"), expected), "next"],
  ["no revision", revision(), "no revision"],
  ["two rows", revision("r2", "later"), "r2, later"],
  ["no table of revisions", evaluateRevision(null, expected), uninitialized],
  ["a missing table", tables({ tables: { t1 } }), "missing: t2"],
  ["tables of an uninitialized database", evaluateTables(null, expected), uninitialized],
  ["a missing column", schemaOf({ columns: { a: "int8" } }), "missing: column t1.v"],
  [
    "a column of another type",
    schemaOf({ columns: { a: "int8", v: "text" } }),
    "missing: column t1.v as jsonb (actual: text)",
  ],
  [
    "a missing foreign key",
    schemaOf({ foreignKeys: [] }),
    "missing: foreign key t1(a) REFERENCES t2 ON DELETE CASCADE",
  ],
  [
    "a foreign key that deletes nothing",
    schemaOf({ foreignKeys: [{ ...key, onDelete: "a" }] }),
    "missing: foreign key t1(a) REFERENCES t2 ON DELETE CASCADE",
  ],
  ["a missing index", schemaOf({ indexes: {} }), "missing: index i"],
  ["an index on other columns", schemaOf({ indexes: { i: ["v"] } }), "missing: index i on a, expression (actual: v)"],
  ["the schema without a table", evaluateSchema(database({ tables: {} }), chain, expected), "missing: table t1"],
  ["the schema of an uninitialized database", evaluateSchema(null, chain, expected), uninitialized],
  ["an invalid index", evaluateIndexes(database({ invalidIndexes: ["i of t"] })), "1 invalid: i of t"],
  ["an unvalidated constraint", constraints("t1.chain", "t1.other"), "1 unvalidated: t1.other"],
  [
    "a role that lacks some privileges, and has others",
    rights({ lacking: { t1: ["INSERT", "DELETE"], t2: ["SELECT"] }, excess: ["create a table"] }),
    "no INSERT, DELETE on t1, no SELECT on t2, can create a table",
  ],
  ["another role than the stack's", rights({ role: "owner" }), "the backend's role is owner"],
  ["an irreversible revision", evaluateReversible(chainWith(false)), "r1: it passes"],
  ["drift", evaluateDrift(read, { revision: "r2", drift: drifted }), "- index public.t1.i, + index public.t1.j"],
  ["drift of an uninitialized database", evaluateDrift({ rows: null }, null), uninitialized],
  [
    "a schema that can't be read",
    evaluateDrift({ ...read, schema: { cause: "timeout" } }, { reason: "can't read it: timeout", command: null }),
    "not evaluated: can't read it: timeout",
  ],
];

describe("checks of the database", () => {
  for (const [what, { passed, found, expected }, text] of accepted) {
    it(`accept ${what}`, () => {
      assert.deepEqual([passed, found], [true, text]);
      assert.notEqual(expected, "");
    });
  }
  for (const [what, { passed, found, expected }, text] of rejected) {
    it(`reject ${what}`, () => {
      assert.deepEqual([passed, found], [false, text]);
      assert.notEqual(expected, "");
    });
  }
  it("name the tables of the head", () => assert.equal(tables({}).expected, "2 tables, including t2 of r2"));
  it("evaluate the privileges of separate roles", () => assert.equal(withSharedRole(separate), null));
});
