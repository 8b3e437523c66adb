import { chainCommand, commandLine } from "../command-line.ts";
import { applied } from "../lockfile/chain.ts";
import { describeChange } from "../lockfile/database-schema/changes.ts";
import { type Drift, driftOf } from "../lockfile/database-schema/drift.ts";
import type { Lock } from "../lockfile/lock.ts";
import { rehearsedSchema } from "../lockfile/rehearsal.ts";
import { openParser } from "../lockfile/sql-parser.ts";
import type { Reading, SchemaReading } from "./live-state.ts";

/** Lists what doesn't count as drift in a deployment. */
export interface DriftOptions {
  /** Names of objects, or patterns with `*`. */
  readonly driftIgnore?: readonly string[] | undefined;
  /** Role that the runner grants row access. */
  readonly applicationRole?: string | undefined;
  /** Folder of the app, for the command that rehearses its chain. */
  readonly appFolder?: string | undefined;
}

/** A live database, as it was read. */
export interface Compared {
  /** Rows of the version table. */
  readonly rows: readonly string[] | null;
  /** Absent if it was not read. */
  readonly schema?: SchemaReading | undefined;
}

/** Drift, or why it is not known. */
export type FoundDrift = { readonly revision: string; readonly drift: Drift } | Unknown;

interface Unknown {
  readonly reason: string;
  /** Command that records what is missing; `null` if none does. */
  readonly command: string | null;
}

/**
 * Compares the live schema with what the revisions of the database made when they were rehearsed.
 *
 * @returns `null` if the database has no revision.
 */
export async function findDrift(
  { rows, schema }: Compared,
  lock: Lock,
  { driftIgnore = [], applicationRole, appFolder }: DriftOptions,
): Promise<FoundDrift | null> {
  if (rows === null || rows.length === 0) return null;
  const unknown = unknownSchema(rows, lock, appFolder);
  if (unknown !== null) return unknown;
  const has = applied(lock.revisions, rows);
  const expected = rehearsedSchema(lock, (id) => has.has(id));
  if (expected === null || lock.rehearsal === undefined || schema === undefined) return null;
  if ("cause" in schema) return { reason: `can't read the live schema: ${schema.cause}`, command: null };
  const { versionTable, rehearsal } = lock;
  const parse = schema.version === rehearsal.postgres ? undefined : await openParser();
  const drift = driftOf(schema.schema, expected, { versionTable, applicationRole, ignore: driftIgnore, parse });
  return { revision: rows.join(", "), drift };
}

/** Returns why the schema at the database's revision is not known; `null` if it is. */
function unknownSchema(rows: readonly string[], lock: Lock, appFolder: string | undefined): Unknown | null {
  const foreign = rows.filter((row) => lock.revisions.every(({ id }) => id !== row));
  if (foreign.length > 0) return { reason: `the lockfile lacks revision ${foreign.join(", ")}`, command: null };
  const command = chainCommand("rehearse", appFolder);
  if (lock.rehearsal === undefined) return { reason: "the chain was not rehearsed", command };
  const has = applied(lock.revisions, rows);
  for (const { id, rehearsed } of lock.revisions) {
    if (!has.has(id)) continue;
    if (rehearsed === undefined) return { reason: `revision ${id} was not rehearsed`, command };
    if (rehearsed.nondeterministic) return { reason: `two runs of revision ${id} differ`, command: null };
    if (rehearsed.variable !== undefined)
      return { reason: `revision ${id} depends on the variable ${rehearsed.variable}`, command: null };
  }
  return null;
}

/** Drift as plans, checks, and commands report it: each difference in a line. */
export type DriftReport =
  | {
      /** Revision of the database. */
      readonly revision: string;
      /** Objects and parts that the database lacks, such as `- index public.users.ix_name`. */
      readonly missing: readonly string[];
      /** Those that it has in addition, such as `+ column public.users.note: text`. */
      readonly extra: readonly string[];
      /** Those that differ, such as `~ column public.users.name: type character varying(40) -> text`. */
      readonly different: readonly string[];
      /** Number of differences that don't count. */
      readonly ignored: number;
    }
  | Unknown;

/** Returns the report on drift. */
export function reportDrift(found: FoundDrift | null): DriftReport | null {
  if (found === null || "reason" in found) return found;
  const { missing, extra, different, ignored } = found.drift;
  return {
    revision: found.revision,
    missing: missing.map(describeChange),
    extra: extra.map(describeChange),
    different: different.map(describeChange),
    ignored: ignored.length,
  };
}

/** Returns the report of a plan; `null` if the database was not read, or has no revision, or the chain was never rehearsed. */
export async function readDrift(reading: Reading, lock: Lock, options: DriftOptions): Promise<DriftReport | null> {
  const isKnown = reading.kind === "rows" && lock.rehearsal !== undefined;
  return isKnown ? reportDrift(await findDrift(reading, lock, options)) : null;
}

/** Returns the lines of all differences. */
export function differencesOf(report: DriftReport): readonly string[] {
  return "reason" in report ? [] : [...report.missing, ...report.extra, ...report.different];
}

/** Describes the numbers of differences. */
export function countDifferences(report: Extract<DriftReport, { readonly revision: string }>): string {
  const { missing, extra, different, ignored } = report;
  const counts = [
    ...(missing.length > 0 ? [`${missing.length} missing`] : []),
    ...(extra.length > 0 ? [`${extra.length} extra`] : []),
    ...(different.length > 0 ? [`${different.length} different`] : []),
  ];
  const rest = ignored > 0 ? ` (${ignored} ignored)` : "";
  return `${counts.length > 0 ? counts.join(", ") : "none"}${rest}`;
}

/** Differences that a plan lists. */
const maximumLines = 20;

/** Describes drift in the lines of a plan; in none, if there is none. */
export function describeDrift(report: DriftReport | null): string[] {
  if (report === null) return [];
  if ("reason" in report) {
    const { reason, command } = report;
    return [`Drift: unknown: ${reason}.${command === null ? "" : ` To record its effects, run: ${command}`}`];
  }
  const lines = differencesOf(report);
  if (lines.length === 0) return [];
  const more = lines.length - maximumLines;
  return [
    `Drift: ${countDifferences(report)}, compared with the schema at ${report.revision}:`,
    ...lines.slice(0, maximumLines).map((line) => `  ${line}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
    `To inspect, adopt, or revert it, run: ${commandLine("drift")}`,
  ];
}
