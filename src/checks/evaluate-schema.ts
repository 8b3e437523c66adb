import type { ChainSchema } from "../lockfile/schema/chain-schema.ts";
import { missingFrom } from "../lockfile/schema/schema.ts";
import type { DatabaseFacts } from "./database-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import { shortened, some } from "./text.ts";

/** What is found where Alembic's own table is missing, of which all that is asked of the database hangs. */
const noVersionTable = "no table alembic_version: the database was never migrated";

function judged<T>(
  expected: string,
  facts: T | null,
  evaluate: (facts: T) => readonly string[],
  good: string,
): CheckFinding {
  const errors = facts === null ? [noVersionTable] : evaluate(facts);
  return { passed: errors.length === 0, expected, found: errors.length === 0 ? good : shortened(some(errors)) };
}

/** Judges the rows of `alembic_version`. */
export function evaluateRevision(facts: DatabaseFacts | null, { head, toleratedRevisions }: Expected): CheckFinding {
  const rows = facts?.revisions ?? [];
  const [row = ""] = rows;
  return {
    passed: rows.length === 1 && (row === head || toleratedRevisions.includes(row)),
    expected: `${head}, in one row${toleratedRevisions.length > 0 ? `; tolerated: ${toleratedRevisions.join(", ")}` : ""}`,
    found: shortened(rows.join(", ")) || (facts === null ? noVersionTable : "no row"),
  };
}

/** Judges whether every table of the chain is there, those of its last revision by name. */
export function evaluateTables(facts: DatabaseFacts | null, { tables, chain, head }: Expected): CheckFinding {
  const last = chain.revisions.find(({ id }) => id === head)?.tables?.created ?? [];
  const named = last.length > 0 ? `, ${[...last].sort().join(", ")} of ${head} among them` : "";
  return judged(
    `${tables.length} tables of the chain${named}`,
    facts,
    (found) => tables.filter((table) => found.tables[table] === undefined).map((table) => `missing: ${table}`),
    `all ${tables.length}`,
  );
}

/** Judges columns with their types, foreign keys and indexes. Those of a later release are its own business. */
export function evaluateSchema(facts: DatabaseFacts | null, { tables }: ChainSchema, expected: Expected): CheckFinding {
  const all = Object.values(tables);
  const count = (of: (table: (typeof all)[number]) => object) =>
    all.reduce((sum, table) => sum + Object.keys(of(table)).length, 0);
  const columns = all.flatMap((table) => Object.values(table.columns));
  const parts = [
    `${columns.length} columns (${columns.filter((type) => type === "jsonb").length} JSONB)`,
    `${count(({ foreignKeys }) => foreignKeys)} foreign keys`,
    `${count(({ indexes }) => indexes)} indexes of the chain`,
  ];
  const later = facts?.revisions.find((row) => row !== expected.head && expected.toleratedRevisions.includes(row));
  if (later !== undefined)
    return { passed: true, expected: parts.join(", "), found: `not judged: ${later} is a later release's` };
  return judged(
    parts.join(", "),
    facts,
    (found) => missingFrom(found.tables, tables).map((error) => `missing: ${error}`),
    "all of them",
  );
}

/** Judges that no index is INVALID. */
export function evaluateIndexes(facts: DatabaseFacts | null): CheckFinding {
  return judged("no INVALID index", facts, ({ invalidIndexes }) => invalidIndexes, "none");
}

/** Judges that no constraint is NOT VALID, but for those that the chain leaves so. */
export function evaluateConstraints(facts: DatabaseFacts | null, { notValid }: ChainSchema): CheckFinding {
  const allowed = notValid.length > 0 ? `, but for those of the chain: ${notValid.join(", ")}` : "";
  return judged(
    `no constraint that is NOT VALID${allowed}`,
    facts,
    (found) => found.notValid.filter((name) => !notValid.includes(name)),
    "none",
  );
}
