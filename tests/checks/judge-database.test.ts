import assert from "node:assert/strict";
import type { DatabaseFacts } from "../../src/checks/database-facts.ts";
import {
  evaluateConstraints,
  evaluateIndexes,
  evaluateRevision,
  evaluateSchema,
  evaluateTables,
} from "../../src/checks/evaluate-schema.ts";
import type { CheckFinding } from "../../src/checks/result.ts";
import type { ChainSchema } from "../../src/lockfile/schema/chain-schema.ts";
import type { TableSchema } from "../../src/lockfile/schema/schema.ts";
import { database, expected } from "../support/checks.ts";

const key = { name: "f", columns: ["a"], references: "t2", onDelete: "c" };
const t1: TableSchema = { columns: { a: "int8", v: "jsonb" }, foreignKeys: [key], indexes: { i: ["a", null] } };
const chain: ChainSchema = { tables: { t1 }, primaryKeys: {}, notValid: ["t1.chain"] };
const schemaOf = (changes: Partial<TableSchema>) =>
  evaluateSchema(database({ tables: { t1: { ...t1, ...changes } } }), chain, expected);
const constraints = (...notValid: string[]) => evaluateConstraints(database({ notValid }), chain);
const revision = (...revisions: string[]) => evaluateRevision(database({ revisions }), expected);
const never = "no table alembic_version: the database was never migrated";
const tables = (changes: Partial<DatabaseFacts>) => evaluateTables(database(changes), expected);

const table: [string, CheckFinding, boolean, string][] = [
  ["the head", revision("r2"), true, "r2"],
  ["a tolerated revision", revision("later"), true, "later"],
  ["an older revision", revision("r1"), false, "r1"],
  ["no revision", revision(), false, "no row"],
  ["two rows", revision("r2", "later"), false, "r2, later"],
  ["no table of revisions", evaluateRevision(null, expected), false, never],
  ["all tables", tables({}), true, "all 2"],
  ["a missing table", tables({ tables: { t1 } }), false, "missing: t2"],
  ["tables of which nothing is known", evaluateTables(null, expected), false, never],
  ["the schema of the chain", schemaOf({}), true, "all of them"],
  ["more than the chain makes", schemaOf({ columns: { ...t1.columns, b: "text" } }), true, "all of them"],
  ["a missing column", schemaOf({ columns: { a: "int8" } }), false, "missing: column t1.v"],
  [
    "a column of another type",
    schemaOf({ columns: { a: "int8", v: "text" } }),
    false,
    "missing: column t1.v as jsonb (actual: text)",
  ],
  [
    "a missing foreign key",
    schemaOf({ foreignKeys: [] }),
    false,
    "missing: foreign key t1(a) REFERENCES t2 ON DELETE CASCADE",
  ],
  [
    "a foreign key that deletes nothing",
    schemaOf({ foreignKeys: [{ ...key, onDelete: "a" }] }),
    false,
    "missing: foreign key t1(a) REFERENCES t2 ON DELETE CASCADE",
  ],
  ["a foreign key of another name", schemaOf({ foreignKeys: [{ ...key, name: "g" }] }), true, "all of them"],
  ["a missing index", schemaOf({ indexes: {} }), false, "missing: index i"],
  [
    "an index on other columns",
    schemaOf({ indexes: { i: ["v"] } }),
    false,
    "missing: index i on a, expression (actual: v)",
  ],
  ["a missing table", evaluateSchema(database({ tables: {} }), chain, expected), false, "missing: table t1"],
  [
    "a later release's schema",
    evaluateSchema(database({ revisions: ["later"], tables: {} }), chain, expected),
    true,
    "not judged: later is a later release's",
  ],
  ["a schema of which nothing is known", evaluateSchema(null, chain, expected), false, never],
  ["no INVALID index", evaluateIndexes(database()), true, "none"],
  ["an INVALID index", evaluateIndexes(database({ invalidIndexes: ["i of t"] })), false, "i of t"],
  ["no NOT VALID constraint", constraints(), true, "none"],
  ["a NOT VALID constraint of the chain", constraints("t1.chain"), true, "none"],
  ["a NOT VALID constraint", constraints("t1.chain", "t1.other"), false, "t1.other"],
];

describe("judgements of the database", () => {
  for (const [what, finding, passed, found] of table) {
    it(`${passed ? "accept" : "refuse"} ${what}`, () => {
      assert.deepEqual([finding.passed, finding.found], [passed, found]);
    });
  }
  it("name the tables of the head", () => {
    assert.equal(tables({}).expected, "2 tables of the chain, t2 of r2 among them");
  });
});
