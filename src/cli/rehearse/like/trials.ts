import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { DatabaseStatistics } from "../../../cluster/table-statistics.ts";
import { quoteTable } from "../../../lockfile/database-schema/sql-names.ts";
import type { LockedRevision } from "../../../lockfile/lock.ts";
import { countedRows, type MeasuredTimes } from "../../../lockfile/measured-times.ts";
import { messageOf } from "../../../printable.ts";
import type { ChainOptions } from "../rehearsal.ts";
import { measureRevision, qualified, type Sample } from "./measure.ts";
import type { BlockingTimes } from "./outcome.ts";
import { ancestorsOf, partitionStatements, rootOf, withColumns } from "./partitions.ts";
import { percentText } from "./report.ts";
import { rowStatements } from "./rows.ts";
import { type LiveTable, type RowBudget, scaledRows, scaleFor } from "./scale.ts";
import { runTrial, type TrialRun } from "./trial.ts";

/** The most that runs generate. */
const maximum: RowBudget = { rows: 500_000, bytes: 128 * 1024 * 1024 };

/** Part of the free disk that rows may take. */
const diskShare = 20;

/** Rows of the runs, as fractions of the most that fit. Of two with the same rows, the faster one counts for each statement. */
const shares = [1 / 4, 1, 1];

interface Measured
  extends Pick<BlockingTimes, "rows" | "scale" | "slowness" | "otherCollation" | "unknownTables" | "failed"> {
  readonly times: MeasuredTimes["revisions"];
}

/**
 * Measures the pending revisions: without rows, on some, and on more.
 *
 * @param limits - The most that a run generates.
 */
export async function measureChain(
  chain: ChainOptions,
  revisions: readonly LockedRevision[],
  given: DatabaseStatistics,
  doing: (step: string) => void,
  limits = budget(),
): Promise<Measured> {
  const statistics = { ...given, tables: withColumns(given.tables) };
  const pending = revisions.map(({ id }) => id);
  const run = (tables: Record<string, readonly string[]>, settings: Record<string, string>) =>
    runTrial({ ...chain, pending, tables, settings });
  doing("running the pending revisions without rows");
  const partitions = partitionStatements(statistics.tables);
  const empty = await run(partitions, statistics.settings);
  const { before: schema, after: head } = empty;
  const used = new Set(revisions.flatMap((revision) => touched(empty, revision)));
  const live = liveTables(used, statistics);
  const filled = filledTables(live, statistics);
  const scale = scaleFor(filled.values(), limits);
  const unknownTables: Record<string, string> = {};
  const samples: Sample[][] = [];
  let last = empty;
  for (const share of shares) {
    const fraction = scale * share;
    doing(`running the pending revisions on ${percentText(fraction)} of the rows`);
    const counts = scaledRows(filled, fraction);
    const tables: Record<string, readonly string[]> = {};
    for (const name of [...counts.keys(), ...live.keys()])
      try {
        const rows = counts.has(name) ? rowStatements(name, { statistics, schema, head, counts }) : [];
        tables[quoteTable(name)] ??= [...(partitions[quoteTable(name)] ?? []), ...rows];
      } catch (error) {
        unknownTables[name] = messageOf(error);
      }
    last = await run(tables, scaledSettings(statistics.settings, fraction));
    const rows = new Map([...live.keys()].map((name) => [name, last.rows[quoteTable(name)] ?? 0]));
    for (const [name, generated] of rows) {
      const wanted = wantedRows(name, counts, live, statistics);
      const reason = last.failedTables[quoteTable(name)];
      if (reason !== undefined) unknownTables[name] = reason;
      else if (generated < wanted / 2 && empty.failed === null)
        unknownTables[name] ??= `only ${generated} of ${wanted} generated rows satisfy its keys`;
    }
    samples.push(pending.map((id) => ({ rows, statements: last.statements.get(id) ?? [] })));
  }
  for (const name of unanalyzed(live, statistics))
    unknownTables[name] = "it was never analyzed, or the role may not read it. Run: ANALYZE";
  const rows = new Map([...live].map(([name, table]) => [name, table.rows]));
  const ancestors = new Map([...live.keys()].map((name) => [name, ancestorsOf(name, statistics.tables)]));
  const slowness = Number((statistics.speed / last.speed).toPrecision(2));
  const times = revisions.flatMap((revision, index) => {
    const [some, most, again] = samples.map((sample) => sample[index]);
    const none = { rows: new Map(), statements: empty.statements.get(revision.id) ?? [] };
    if (some === undefined || most === undefined || again === undefined || !last.statements.has(revision.id)) return [];
    const fastest = faster(most, again);
    const measured = {
      revision,
      samples: [none, some, fastest] as const,
      live: rows,
      ancestors,
      unknownTables,
      slowness,
    };
    return [[revision.id, measureRevision(measured)] as const];
  });
  const failed = empty.failed ?? last.failed;
  return {
    rows: Object.fromEntries(rows),
    scale,
    slowness,
    otherCollation: statistics.collation === last.collation ? null : statistics.collation,
    unknownTables,
    failed,
    times: Object.fromEntries(times),
  };
}

/** Returns a sample with the shorter time of each statement. */
function faster(one: Sample, other: Sample): Sample {
  if (one.statements.length !== other.statements.length) return other;
  const statements = one.statements.map((statement, index) => {
    const { milliseconds } = other.statements[index] ?? statement;
    return { ...statement, milliseconds: Math.min(statement.milliseconds, milliseconds) };
  });
  return { ...other, statements };
}

/** Returns the names of tables that existed before the pending revisions, and that one of them reads or changes. */
function touched({ before, statements }: TrialRun, { id, locks }: LockedRevision): string[] {
  const observed = (statements.get(id) ?? []).flatMap((each) => each.locks.map(([table]) => table));
  const derived = locks.flatMap(({ table }) => (table === null ? [] : qualified(table)));
  return [...new Set([...observed, ...derived])].filter((name) => Object.hasOwn(before.tables, name));
}

/** Returns the live tables of those with a name, also without rows, and the partitioned tables of partitions. */
function liveTables(names: ReadonlySet<string>, { tables }: DatabaseStatistics): ReadonlyMap<string, LiveTable> {
  const all = new Set([...names].flatMap((name) => [rootOf(name, tables), name]));
  const found = [...all].flatMap((name) => {
    const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
    return table ? [[name, { rows: table.rows, bytes: table.bytes }] as const] : [];
  });
  return new Map(found);
}

/** Returns the tables to fill, with their own rows: without partitions, which their tables fill, and without the rows of children. */
function filledTables(live: ReadonlyMap<string, LiveTable>, { tables }: DatabaseStatistics) {
  const filled = [...live].flatMap(([name, { rows, bytes }]) => {
    if (rootOf(name, tables) !== name) return [];
    const children = [...live].filter(
      ([child]) => tables[child]?.bound === null && tables[child].parents.includes(name),
    );
    const sum = (property: keyof LiveTable) => children.reduce((total, [, child]) => total + child[property], 0);
    const own = { rows: Math.max(0, rows - sum("rows")), bytes: Math.max(0, bytes - sum("bytes")) };
    return own.rows > 0 ? [[name, own] as const] : [];
  });
  return new Map(filled);
}

/** Returns how many rows a table should have: a partition has its share of those of its table. */
function wantedRows(
  name: string,
  counts: ReadonlyMap<string, number>,
  live: ReadonlyMap<string, LiveTable>,
  { tables }: DatabaseStatistics,
): number {
  const root = rootOf(name, tables);
  const share = (live.get(name)?.rows ?? 0) / (live.get(root)?.rows ?? 1);
  return Math.floor((counts.get(root) ?? 0) * share);
}

/** Returns the tables without statistics that are not small: autovacuum ignores small ones. */
function unanalyzed(live: ReadonlyMap<string, LiveTable>, { tables }: DatabaseStatistics): readonly string[] {
  const isUnknown = (name: string) => Object.keys(tables[name]?.columns ?? {}).length === 0;
  return [...live].flatMap(([name, { rows }]) => (rows >= countedRows && isUnknown(name) ? [name] : []));
}

/** Returns the most that fits this machine. */
function budget(): RowBudget {
  const { bavail, bsize } = statfsSync(tmpdir());
  return { ...maximum, bytes: Math.min(maximum.bytes, (bavail * bsize) / diskShare) };
}

/** Scales the memory of settings, so that what doesn't fit into it on the live rows doesn't fit here, either. */
function scaledSettings(settings: Readonly<Record<string, string>>, scale: number): Record<string, string> {
  const units: Readonly<Record<string, number>> = { kB: 1, MB: 1024, GB: 1024 ** 2 };
  const entries = Object.entries(settings).map(([name, value]) => {
    const [, size, unit = ""] = /^(\d+)(kB|MB|GB)$/.exec(value) ?? [];
    if (size === undefined) return [name, value];
    const smallest = name === "maintenance_work_mem" ? 1024 : 64;
    return [name, `${Math.max(smallest, Math.round(Number(size) * (units[unit] ?? 1) * scale))}kB`];
  });
  return Object.fromEntries(entries);
}
