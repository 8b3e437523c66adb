import { dirname } from "node:path";
import { type Job, jobState } from "../cluster/objects.ts";
import { describeChange, type SchemaChange } from "../lockfile/database-schema/changes.ts";
import type { Drift } from "../lockfile/database-schema/drift.ts";
import type { ChainSchema } from "../lockfile/schema/chain-schema.ts";
import { missingFrom } from "../lockfile/schema/schema.ts";
import type { Compared, DriftOptions, FoundDrift } from "../plan/drift.ts";
import { pluralize } from "../pluralize.ts";
import type { DatabaseFacts } from "./database-facts.ts";
import type { PrivilegeFacts } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import { shortened, some } from "./text.ts";

/** Result of every check of a database without Alembic's table. */
const noVersionTable = "no version table: the database is uninitialized";

/** Returns a finding whose result is the first errors, or `good` without any. */
function findingOf(expected: string, errors: readonly string[], good: string, prefix = ""): CheckFinding {
  if (errors.length === 0) return { passed: true, expected, found: good };
  return { passed: false, expected, found: shortened(`${prefix}${some(errors)}`) };
}

function uninitialized(expected: string): CheckFinding {
  return { passed: false, expected, found: noVersionTable };
}

/**
 * Evaluates the rows of the version table. If a release is expected, its migration Job is complete.
 *
 * @param job - The release's Job, if it exists.
 */
export function evaluateRevision(facts: DatabaseFacts | null, wanted: Expected, job?: Job): CheckFinding {
  const { head, release } = wanted;
  const toleratedRevisions = toleratedBy(facts, wanted);
  const tolerated = toleratedRevisions.length > 0 ? `; tolerated: ${toleratedRevisions.join(", ")}` : "";
  const migrated = release === undefined ? "" : `; Job ${release.jobName} complete`;
  const expected = `${head} in one row${tolerated}${migrated}`;
  if (facts === null) return uninitialized(expected);
  const [row = "", ...others] = facts.revisions;
  const isAtHead = others.length === 0 && (row === head || toleratedRevisions.includes(row));
  const found = shortened(facts.revisions.join(", ")) || "no revision";
  const state = job === undefined ? "missing" : jobState(job);
  if (release === undefined || state === "complete") return { passed: isAtHead, expected, found };
  return { passed: false, expected, found: `${found}; Job ${release.jobName} ${state}` };
}

/** Returns the later revisions that the database may be at, by the settings and by its run record. */
function toleratedBy(facts: DatabaseFacts | null, { head, toleratedRevisions }: Expected): readonly string[] {
  if (!facts?.window?.heads.includes(head)) return toleratedRevisions;
  return [...new Set([...toleratedRevisions, ...facts.revisions])];
}

/** Evaluates whether every table of the chain exists. */
export function evaluateTables(facts: DatabaseFacts | null, { tables, chain, head }: Expected): CheckFinding {
  const newest = chain.revisions.find(({ id }) => id === head)?.tables?.created ?? [];
  const named = newest.length > 0 ? `, including ${newest.toSorted().join(", ")} of ${head}` : "";
  const expected = `${tables.length} tables${named}`;
  if (facts === null) return uninitialized(expected);
  const missing = tables.filter((table) => facts.tables[table] === undefined);
  return findingOf(expected, missing, `${tables.length} tables`, "missing: ");
}

/** Evaluates columns with their types, foreign keys, and indexes. The schema of a later release is not evaluated. */
export function evaluateSchema(facts: DatabaseFacts | null, { tables }: ChainSchema, expected: Expected): CheckFinding {
  const all = Object.values(tables);
  const count = (of: (table: (typeof all)[number]) => object) =>
    all.reduce((sum, table) => sum + Object.keys(of(table)).length, 0);
  const columns = all.flatMap((table) => Object.values(table.columns));
  const parts = [
    `${columns.length} columns (${columns.filter((type) => type === "jsonb").length} JSONB)`,
    `${count(({ foreignKeys }) => foreignKeys)} foreign keys`,
    `${count(({ indexes }) => indexes)} indexes`,
  ].join(", ");
  if (facts === null) return uninitialized(parts);
  const tolerated = toleratedBy(facts, expected);
  const later = facts.revisions.find((row) => row !== expected.head && tolerated.includes(row));
  if (later !== undefined) {
    return { passed: true, expected: parts, found: `not evaluated: ${later} belongs to a later release` };
  }
  return findingOf(parts, missingFrom(facts.tables, tables), parts, "missing: ");
}

/** Returns the rules of drift for a release. */
export function driftOptions({ driftIgnore, applicationRole, lockFile }: Expected): DriftOptions {
  return { driftIgnore, applicationRole, appFolder: dirname(lockFile) };
}

/** Evaluates whether the live schema is the expected one. It is not evaluated if the expected one is not known. */
export function evaluateDrift({ rows, schema }: Compared, found: FoundDrift | null): CheckFinding {
  const revision = found !== null && "revision" in found ? found.revision : "the revision";
  const expected = `the schema at ${revision}, as rehearsed`;
  if (rows === null) return uninitialized(expected);
  if (found === null) return { passed: true, expected, found: "not evaluated: no revision" };
  if ("reason" in found) {
    const fix = found.command === null ? "" : `; run: ${found.command}`;
    const isFailure = schema !== undefined && "cause" in schema;
    return { passed: !isFailure, expected, found: shortened(`not evaluated: ${found.reason}${fix}`) };
  }
  const { missing, extra, different, ignored } = found.drift;
  const used = extra.filter((change) => !isUnused(change, found.drift));
  const unused = extra.length - used.length;
  const others: string[] = [];
  if (ignored.length > 0) others.push(`${ignored.length} ignored`);
  if (unused > 0) others.push(`${pluralize(unused, "object")} that no revision makes`);
  const good = `0 differences${others.length > 0 ? ` (${others.join(", ")})` : ""}`;
  return findingOf(expected, [...missing, ...used, ...different].map(describeChange), good);
}

/** Whether an extra object has a name of its own, so that no release uses it. An event trigger acts on all tables. */
function isUnused({ object: { kind, name } }: SchemaChange, { expected }: Drift): boolean {
  return kind !== "eventTriggers" && !Object.hasOwn(expected[kind], name);
}

/** Evaluates whether all indexes are valid. */
export function evaluateIndexes(facts: DatabaseFacts | null): CheckFinding {
  const expected = "0 invalid indexes";
  if (facts === null) return uninitialized(expected);
  const { invalidIndexes: invalid } = facts;
  return findingOf(expected, invalid, expected, `${invalid.length} invalid: `);
}

/** Evaluates whether all constraints are validated, except those that the chain leaves NOT VALID. */
export function evaluateConstraints(facts: DatabaseFacts | null, { notValid: allowed }: ChainSchema): CheckFinding {
  const good = "0 unvalidated constraints";
  const expected = allowed.length > 0 ? `${good} besides those of the chain: ${allowed.join(", ")}` : good;
  if (facts === null) return uninitialized(expected);
  const unvalidated = facts.notValid.filter((name) => !allowed.includes(name));
  return findingOf(expected, unvalidated, good, `${unvalidated.length} unvalidated: `);
}

/** Returns the finding of a stack whose migrations and backend share a database role; otherwise `null`. */
export function withSharedRole({ applicationRole }: Expected): CheckFinding | null {
  if (applicationRole !== undefined) return null;
  const expected = "not applicable: migrations and backend share a database role";
  return { passed: true, expected, found: "shared database role" };
}

/** Evaluates the privileges of the backend's role: all on rows, none on the schema. */
export function evaluatePrivileges(facts: PrivilegeFacts, { applicationRole, tables }: Expected): CheckFinding {
  const { role, lacking, excess } = facts;
  const good = `read/write on ${tables.length} tables, no DDL`;
  const errors: string[] = [];
  if (role !== applicationRole) errors.push(`the backend's role is ${role}`);
  for (const [table, privileges] of Object.entries(lacking)) errors.push(`no ${privileges.join(", ")} on ${table}`);
  for (const privilege of excess) errors.push(`can ${privilege}`);
  return findingOf(`role ${applicationRole}: ${good}`, errors, good);
}

/** Evaluates whether every locked revision has a downgrade, except those that the stack approves. */
export function evaluateReversible({ chain: { revisions }, irreversible = [] }: Expected): CheckFinding {
  const expected = `a downgrade for each of ${revisions.length} revisions, or an approval of missing-downgrade`;
  const missing = revisions
    .filter(({ id, reversible }) => reversible === false && !irreversible.includes(id))
    .map(({ id, reversibleReason }) => `${id}: ${reversibleReason}`);
  const unknown = revisions.filter(({ reversible }) => reversible === null).map(({ id }) => id);
  const note = unknown.length > 0 ? `; unknown without a database: ${some(unknown)}` : "";
  return findingOf(expected, missing, `0 missing downgrades${note}`);
}
