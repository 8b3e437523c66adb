import { singleLine } from "../../../lockfile/describe.ts";
import { knownSql, type LockedRevision } from "../../../lockfile/lock.ts";
import { countedRows, type MeasuredRevision, type MeasuredStatement } from "../../../lockfile/measured-times.ts";
import { blockedBy, type LockMode, stronger } from "../../../lockfile/statement-lock.ts";
import { markers } from "../evidence.ts";
import type { RanStatement } from "../rehearsal.ts";

/** A revision's statements on a number of rows. */
export interface Sample {
  /** Rows by table. */
  readonly rows: ReadonlyMap<string, number>;
  readonly statements: readonly RanStatement[];
}

/** Inputs of a measurement. */
export interface MeasureOptions {
  readonly revision: Pick<LockedRevision, "sha256" | "upgrade" | "locks">;
  /** Samples without rows, with some, and with most rows. */
  readonly samples: readonly [Sample, Sample, Sample];
  /** Rows of the live tables. */
  readonly live: ReadonlyMap<string, number>;
  /** Tables that each of them is a partition or a child of. */
  readonly ancestors: ReadonlyMap<string, readonly string[]>;
  /** Why rows of a live table couldn't be generated. */
  readonly unknownTables: Readonly<Record<string, string>>;
  /** Milliseconds of the live server for a millisecond of this one. */
  readonly slowness: number;
}

/** Statements that sort, and the power of the rows to which the time of a sort grows: n log n from ten thousand to millions. */
const sorting = { pattern: /\b(INDEX|UNIQUE|PRIMARY KEY|CLUSTER)\b/i, exponent: 1.07 };

/** Milliseconds that a time must grow by until its growth is trusted. */
const noise = 20;

/** Returns the times of a revision's statements as functions of the rows. */
export function measureRevision(options: MeasureOptions): MeasuredRevision {
  const { revision, samples } = options;
  const { sha256 } = revision;
  const [, , most] = samples;
  const texts = (sample: Sample) => JSON.stringify(sample.statements.map(({ autocommit }) => autocommit));
  const places = placesOf(options);
  if (places === undefined || samples.some((sample) => texts(sample) !== texts(most)))
    return { sha256, statements: [measureWhole(options)] };
  let transaction = 0;
  let tables: readonly string[] = [];
  const statements = most.statements.map((statement, number): MeasuredStatement => {
    const isFirst = statement.autocommit || most.statements[number - 1]?.autocommit === true;
    if (number > 0 && isFirst) transaction += 1;
    if (isFirst) tables = [];
    const own = tablesOf(statement, places[number], options);
    if (own.length > 0) tables = own;
    const time = (sample: Sample) => sample.statements[number]?.milliseconds ?? 0;
    const isGrowing = own.length > 0 || time(most) - time(samples[0]) > noise;
    const read = isGrowing ? tables : [];
    return {
      statement: places[number] ?? null,
      transaction,
      ...timeOf(time, read, sorting.pattern.test(statement.sql), options),
      ...reasonOf(read, options),
      locks: blockingLocks([statement], options),
      ...(/\bCONCURRENTLY\b/i.test(statement.sql) && { concurrent: true }),
    };
  });
  return { sha256, statements };
}

/** Measures a revision whose statements depend on the rows, or are not those of the lockfile. */
function measureWhole(options: MeasureOptions): MeasuredStatement {
  const { samples, live } = options;
  const sum = ({ statements }: Sample) => statements.reduce((total, { milliseconds }) => total + milliseconds, 0);
  const all = samples.flatMap(({ statements }) => [...statements]);
  const tables = all.flatMap(({ locks }) => locks.flatMap(([table]) => (live.has(table) ? [table] : [])));
  return {
    statement: null,
    transaction: 0,
    ...timeOf(sum, tables, false, options),
    ...reasonOf(tables, options),
    locks: blockingLocks(all, options),
  };
}

/** Returns the index of each statement in the locked SQL; `undefined` if that has others. */
function placesOf({ revision, samples }: MeasureOptions): readonly number[] | undefined {
  const sql = knownSql(revision.upgrade) ?? [];
  const places = [...sql.keys()].filter((index) => !markers.has(sql[index] ?? ""));
  return places.length === samples[2].statements.length ? places : undefined;
}

/** Returns the name of a table of the lockfile's locks as a schema has it: `schema.name`. */
export function qualified(table: string): string {
  return table.includes(".") ? table : `public.${table}`;
}

/** Returns the live tables that a statement reads or changes. */
function tablesOf({ locks }: RanStatement, place: number | undefined, { revision, live }: MeasureOptions): string[] {
  const derived = revision.locks.flatMap(({ statement, table }) =>
    statement === place && table !== null ? [qualified(table)] : [],
  );
  return [...locks.map(([table]) => table), ...derived].filter((table) => live.has(table));
}

/** Returns why the time of a statement is unknown. Partitions and children of a table that it reads don't matter: their table does. */
function reasonOf(tables: readonly string[], { ancestors, unknownTables }: MeasureOptions) {
  const isPart = (table: string) => ancestors.get(table)?.some((each) => tables.includes(each));
  const table = tables.find((each) => Object.hasOwn(unknownTables, each) && !isPart(each));
  return table === undefined ? {} : { unknown: singleLine(`${table}: ${unknownTables[table]}`) };
}

/** Returns the strongest lock on each live table that blocks reads or writes, without partitions that the lock of their table says. */
function blockingLocks(
  statements: readonly RanStatement[],
  { live, ancestors }: MeasureOptions,
): MeasuredStatement["locks"] {
  const strongest = new Map<string, LockMode>();
  for (const [table, mode] of statements.flatMap(({ locks }) => locks))
    if (live.has(table)) strongest.set(table, stronger(mode, strongest.get(table) ?? mode));
  const isSaid = (table: string, mode: LockMode) =>
    ancestors.get(table)?.some((each) => stronger(strongest.get(each) ?? "ACCESS SHARE", mode) === strongest.get(each));
  return [...strongest].filter(([table, mode]) => /write/.test(blockedBy(mode)) && !isSaid(table, mode));
}

/** Fits a time to the samples: without rows it is fixed, and with rows it grows with a power of them. */
function timeOf(
  milliseconds: (sample: Sample) => number,
  tables: readonly string[],
  isSort: boolean,
  { samples, live, slowness }: MeasureOptions,
): Pick<MeasuredStatement, "table" | "fixed" | "perMillionRows" | "exponent" | "small"> {
  const [table = null] = [...tables].sort((a, b) => (live.get(b) ?? 0) - (live.get(a) ?? 0));
  const [none, some, most] = samples.map((sample) => ({
    rows: table === null ? 0 : (sample.rows.get(table) ?? 0),
    time: milliseconds(sample) * slowness,
  })) as [Point, Point, Point];
  const fixed = fixedTime(none, some, most);
  const exponent = Math.max(exponentOf(fixed, some, most), isSort ? sorting.exponent : 1);
  const perMillionRows = most.rows === 0 ? 0 : Math.max(0, most.time - fixed) / (most.rows / 1e6) ** exponent;
  const isSmall = table !== null && (live.get(table) ?? 0) < countedRows;
  return {
    table,
    fixed: rounded(fixed),
    perMillionRows: rounded(perMillionRows),
    exponent,
    ...(isSmall && { small: true }),
  };
}

interface Point {
  readonly rows: number;
  readonly time: number;
}

/** Returns the time without rows: that of an empty table, or less, if the growth from some rows to most says so. */
function fixedTime(none: Point, some: Point, most: Point): number {
  if (most.rows <= some.rows) return Math.max(none.time, most.time);
  const growth = (most.time - some.time) / (most.rows - some.rows);
  return Math.min(none.time, Math.max(0, some.time - growth * some.rows));
}

/** Returns the power to which a time grows with the rows, from 1 to 2; differences from 1 that may be noise don't count. */
function exponentOf(fixed: number, some: Point, most: Point): number {
  const [less, more] = [some.time - fixed, most.time - fixed];
  if (less < noise || most.rows < 2 * some.rows) return 1;
  const exponent = Math.log(more / less) / Math.log(most.rows / some.rows);
  return exponent > 1.3 ? rounded(Math.min(2, exponent)) : 1;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
