import type { LockedRevision } from "../lockfile/lock.ts";
import {
  countedRows,
  type MeasuredRevision,
  type MeasuredStatement,
  type MeasuredTimes,
} from "../lockfile/measured-times.ts";
import { type Blocked, blockedBy } from "../lockfile/statement-lock.ts";

/** Rows of tables by `schema.name`. A table that is missing has fewer than 1,000. */
export type TableRows = Readonly<Record<string, number>>;

/** Operations on a table that a statement blocks until its transaction ends. */
export interface PredictedBlock {
  readonly table: string;
  readonly blocks: Extract<Blocked, "writes" | "reads and writes">;
  /** Sum of the known times until then. */
  readonly milliseconds: number;
  /** Whether others are unknown, so that the sum is the minimum. */
  readonly isMinimum?: true;
}

/** Expected time of a statement on a database's rows. */
export interface PredictedStatement extends Pick<MeasuredStatement, "statement" | "table" | "concurrent" | "unknown"> {
  /** `null` if it is unknown. */
  readonly milliseconds: number | null;
  /** Rows of {@link table}. */
  readonly rows: number;
  readonly blocks: readonly PredictedBlock[];
}

/** Timeouts that limit statements and migrations, in seconds. */
export interface TimeLimits {
  readonly statementTimeoutSeconds: number;
  readonly deadlineSeconds: number;
}

/** Factor within which most predictions are. */
const accuracy = 2;

/** Predicts the times of a revision's statements. */
export function predictRevision({ statements }: MeasuredRevision, rows: TableRows): PredictedStatement[] {
  const times = statements.map((statement) => predictedTime(statement, rows));
  return statements.map((measured, index) => {
    const { statement, table, locks, transaction, concurrent } = measured;
    const unknown = unknownReason(measured, rows);
    const until = times.filter((_, other) => other >= index && statements[other]?.transaction === transaction);
    const held = {
      milliseconds: sumOfKnown(until),
      ...(until.includes(null) && { isMinimum: true as const }),
    };
    return {
      statement,
      table,
      ...(concurrent && { concurrent }),
      ...(unknown !== undefined && { unknown }),
      milliseconds: times[index] ?? null,
      rows: rowsOf(table, rows),
      blocks: locks.flatMap(([name, mode]) => {
        const blocks = blockedBy(mode);
        return blocks === "writes" || blocks === "reads and writes" ? [{ table: name, blocks, ...held }] : [];
      }),
    };
  });
}

function sumOfKnown(times: readonly (number | null)[]): number {
  return times.reduce<number>((sum, time) => sum + (time ?? 0), 0);
}

function predictedTime(statement: MeasuredStatement, rows: TableRows): number | null {
  const { table, fixed, perMillionRows, exponent } = statement;
  if (unknownReason(statement, rows) !== undefined) return null;
  return Math.round(fixed + perMillionRows * (rowsOf(table, rows) / 1e6) ** exponent);
}

function unknownReason({ table, small, unknown }: MeasuredStatement, rows: TableRows): string | undefined {
  if (unknown !== undefined || !small || rowsOf(table, rows) < countedRows) return unknown;
  return `${table}: it had fewer than 1,000 rows where times were measured. Measure again: rehearse --like`;
}

function rowsOf(table: string | null, rows: TableRows): number {
  return table !== null && Object.hasOwn(rows, table) ? (rows[table] ?? 0) : 0;
}

/**
 * Predicts the times of pending revisions.
 *
 * @returns The predictions by revision; those of files that changed since they were measured are missing.
 */
export function predictTimes(
  times: MeasuredTimes | undefined,
  revisions: readonly Pick<LockedRevision, "id" | "sha256">[],
  rows: TableRows,
): ReadonlyMap<string, readonly PredictedStatement[]> {
  const known = revisions.flatMap(({ id, sha256 }) => {
    const measured = times !== undefined && Object.hasOwn(times.revisions, id) ? times.revisions[id] : undefined;
    return measured?.sha256 === sha256 ? [[id, predictRevision(measured, rows)] as const] : [];
  });
  return new Map(known);
}

/**
 * Returns a message for each timeout that predicted statements exceed, or may exceed. Unknown times don't count.
 *
 * @param predicted - Statements of each revision.
 */
export function exceededTimeouts(
  predicted: Iterable<readonly [revision: string, statements: readonly PredictedStatement[]]>,
  { statementTimeoutSeconds, deadlineSeconds }: TimeLimits,
): string[] {
  const messages: string[] = [];
  let sum = 0;
  for (const [revision, statements] of predicted) {
    const limited = statements.filter(({ statement, concurrent }) => statement !== null && !concurrent);
    const longest = Math.max(0, ...limited.map(({ milliseconds }) => milliseconds ?? 0));
    const what = `a statement of revision ${revision}`;
    messages.push(...exceeded(what, longest, "statementTimeoutSeconds", statementTimeoutSeconds));
    sum += sumOfKnown(statements.map(({ milliseconds }) => milliseconds));
  }
  return [...messages, ...exceeded("the migration", sum, "deadlineSeconds", deadlineSeconds)];
}

function exceeded(what: string, milliseconds: number, name: keyof TimeLimits, seconds: number): string[] {
  if (milliseconds * accuracy <= seconds * 1000) return [];
  const verb = milliseconds > seconds * 1000 ? "exceeds" : "may exceed";
  return [`${what} takes ${aboutText(milliseconds)}, which ${verb} ${name} (${seconds})`];
}

/** Describes a prediction in one line: how long a statement takes, and what it blocks how long. */
export function describePrediction({ milliseconds, table, rows, blocks, unknown }: PredictedStatement): string {
  const phrases = blocks.map((block) => `blocks ${block.blocks} of ${shortName(block.table)} for ${heldText(block)}`);
  const size =
    table === null ? "" : ` (${rows === 0 ? "under 1,000" : rows.toLocaleString("en-US")} rows of ${shortName(table)})`;
  const cause = unknown === undefined ? "" : `; unknown because of ${shortName(unknown)}`;
  return `${[`takes ${aboutText(milliseconds)}`, ...phrases].join("; ")}${size}${cause}`;
}

function heldText({ milliseconds, isMinimum }: PredictedBlock): string {
  if (!isMinimum) return aboutText(milliseconds);
  return milliseconds < 100 ? "an unknown time" : aboutText(milliseconds, "at least");
}

/** Returns a predicted time with two digits, such as `about 12s`. */
function aboutText(milliseconds: number | null, qualifier = "about"): string {
  if (milliseconds === null) return "an unknown time";
  if (milliseconds < 100) return "less than 0.1s";
  const seconds = Number((milliseconds / 1000).toPrecision(2));
  if (seconds < 120) return `${qualifier} ${seconds}s`;
  const minutes = Math.round(seconds / 60);
  return `${qualifier} ${minutes < 120 ? `${minutes}m` : `${Number((minutes / 60).toPrecision(2))}h`}`;
}

/** Returns the name of a table without the schema `public`. */
export function shortName(table: string): string {
  return table.replace(/^public\./, "");
}
