import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../printable.ts";
import { isPackedLock } from "./evidence.ts";
import { fits, integer, line, list, literal, mapOf, nullable, object, optional, type Shape } from "./shape.ts";
import type { LockMode } from "./statement-lock.ts";

/** Name of the file beside the lockfile. */
export const timesFileName = "migrations.times.json";

/** Time of a statement on generated rows, as a function of the rows of one table. */
export interface MeasuredStatement {
  /** Index into the statements of the upgrade; `null` for all of the revision, if they depend on the rows. */
  readonly statement: number | null;
  /** Number of the transaction in its revision. Its locks are held until the end of it. */
  readonly transaction: number;
  /** The largest table that it reads or changes; `null` if it has none that existed. */
  readonly table: string | null;
  /** Milliseconds without rows. */
  readonly fixed: number;
  /** Milliseconds of a million rows, in addition. */
  readonly perMillionRows: number;
  /** Power of the rows to which the time grows: 1 if twice the rows take twice as long. */
  readonly exponent: number;
  /** Locks that block reads or writes, and that no earlier statement of the transaction has taken. */
  readonly locks: readonly (readonly [table: string, mode: LockMode])[];
  /** Whether only the deadline limits it, because it runs concurrently. */
  readonly concurrent?: true;
  /** Whether {@link table} had fewer than 1,000 rows, which show no growth. */
  readonly small?: true;
  /** Why its time is unknown. */
  readonly unknown?: string;
}

/** Times of a revision's upgrade. */
export interface MeasuredRevision {
  /** SHA-256 of the file that was measured. */
  readonly sha256: string;
  readonly statements: readonly MeasuredStatement[];
}

/** Times of pending revisions, without the sizes of any database. */
export interface MeasuredTimes {
  readonly version: 1;
  /** The stack or app whose statistics the rows had, and to whose speed the times are scaled. */
  readonly like: string;
  readonly revisions: Readonly<Record<string, MeasuredRevision>>;
}

/** Rows from which a table counts: fewer show no growth. */
export const countedRows = 1000;

const number: Shape = { expected: "a number from 0", matches: (value) => typeof value === "number" && value >= 0 };
const yes: Shape = { expected: "true", matches: (value) => value === true };
const lock: Shape = { expected: "a lock", matches: (value) => Array.isArray(value) && isPackedLock([0, ...value]) };
const revision = object({
  sha256: line,
  statements: list(
    object({
      statement: nullable(integer(0)),
      transaction: integer(0),
      table: nullable(line),
      fixed: number,
      perMillionRows: number,
      exponent: number,
      locks: list(lock),
      concurrent: optional(yes),
      small: optional(yes),
      unknown: optional(line),
    }),
  ),
});
const shape = object({
  version: literal(1),
  like: line,
  revisions: mapOf(revision),
});

/** Returns the names of the tables that times depend on. */
export function measuredTables({ revisions }: MeasuredTimes): readonly string[] {
  const statements = Object.values(revisions).flatMap(({ statements }) => statements);
  return [...new Set(statements.flatMap(({ table }) => table ?? []))].sort();
}

/** Formats times, with a line for each statement. */
export function formatTimes({ version, like, revisions }: MeasuredTimes): string {
  const entries = Object.entries(revisions).map(([id, { sha256, statements }]) => {
    const lines = statements.map((statement) => `        ${JSON.stringify(statement)}`).join(",\n");
    return `    ${JSON.stringify(id)}: {\n      "sha256": "${sha256}",\n      "statements": [\n${lines}\n      ]\n    }`;
  });
  const start = `{\n  "version": ${version},\n  "like": ${JSON.stringify(like)},\n  "revisions": {\n`;
  return `${start}${entries.join(",\n")}\n  }\n}\n`;
}

/**
 * Reads the times beside a lockfile.
 *
 * @param lockFile - Path of the lockfile.
 * @returns `undefined` if nothing was measured.
 * @throws {Error} If the file is invalid.
 */
export function readTimes(lockFile: string): MeasuredTimes | undefined {
  const path = join(dirname(lockFile), timesFileName);
  if (!existsSync(path)) return undefined;
  const fix = "Remove it, or measure again: rehearse --like";
  try {
    const times: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (fits(times, shape)) return times as MeasuredTimes;
  } catch (error) {
    throw new Error(`invalid ${path}: ${messageOf(error)}. ${fix}`);
  }
  throw new Error(`invalid ${path}: it has another format than this version writes. ${fix}`);
}
