import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { DatabaseStatistics } from "../../../cluster/table-statistics.ts";
import type { LockedRevision } from "../../../lockfile/lock.ts";
import type { MeasuredTimes } from "../../../lockfile/measured-times.ts";
import type { ChainOptions } from "../rehearsal.ts";
import { measureRevision, qualified, type Sample } from "./measure.ts";
import type { BlockingTimes } from "./outcome.ts";
import { percentText } from "./report.ts";
import { quoteTable, rowStatements } from "./rows.ts";
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
  statistics: DatabaseStatistics,
  doing: (step: string) => void,
  limits = budget(),
): Promise<Measured> {
  const pending = revisions.map(({ id }) => id);
  const run = (tables: Record<string, readonly string[]>, settings: Record<string, string>) =>
    runTrial({ ...chain, pending, tables, settings });
  doing("running the pending revisions without rows");
  const empty = await run({}, statistics.settings);
  const used = new Set(revisions.flatMap((revision) => touched(empty, revision)));
  const tables = liveTables(used, statistics);
  const scale = scaleFor(tables.values(), limits);
  const unknownTables: Record<string, string> = {};
  const samples: Sample[][] = [];
  let last = empty;
  for (const share of shares) {
    const fraction = scale * share;
    doing(`running the pending revisions on ${percentText(fraction)} of the rows`);
    const counts = scaledRows(tables, fraction);
    const { before: schema, after: head } = empty;
    last = await run(
      rowStatements({ statistics, schema, head, counts }),
      scaledSettings(statistics.settings, fraction),
    );
    const rows = new Map([...tables.keys()].map((name) => [name, last.rows[quoteTable(name)] ?? 0]));
    for (const [name, wanted] of counts) {
      const generated = rows.get(name) ?? 0;
      const reason = last.failedTables[quoteTable(name)];
      if (reason !== undefined) unknownTables[name] = reason;
      else if (generated < wanted / 2 && empty.failed === null)
        unknownTables[name] = `only ${generated} of ${wanted} generated rows satisfy its keys`;
    }
    samples.push(pending.map((id) => ({ rows, statements: last.statements.get(id) ?? [] })));
  }
  for (const name of unanalyzed(used, statistics)) unknownTables[name] = "it was never analyzed";
  const live = new Map([...tables].map(([name, { rows }]) => [name, rows]));
  const slowness = Number((statistics.speed / last.speed).toPrecision(2));
  const times = revisions.flatMap((revision, index) => {
    const [some, most, again] = samples.map((sample) => sample[index]);
    const none = { rows: new Map(), statements: empty.statements.get(revision.id) ?? [] };
    if (some === undefined || most === undefined || again === undefined || !last.statements.has(revision.id)) return [];
    if (touched(empty, revision).some((name) => Object.hasOwn(unknownTables, name))) return [];
    const fastest = faster(most, again);
    return [[revision.id, measureRevision({ revision, samples: [none, some, fastest], live, slowness })] as const];
  });
  const failed = empty.failed ?? last.failed;
  return {
    rows: Object.fromEntries(live),
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

/** Returns the live tables of those with a name. */
function liveTables(names: ReadonlySet<string>, { tables }: DatabaseStatistics): ReadonlyMap<string, LiveTable> {
  const found = [...names].flatMap((name) => {
    const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
    return table?.rows ? [[name, { rows: table.rows, bytes: table.bytes }] as const] : [];
  });
  return new Map(found);
}

/** Returns the tables of those with a name that have data but no statistics. */
function unanalyzed(names: ReadonlySet<string>, { tables }: DatabaseStatistics): readonly string[] {
  return Object.keys(tables).filter((name) => names.has(name) && tables[name]?.rows === null && tables[name].bytes > 0);
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
