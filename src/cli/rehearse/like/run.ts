import { join, relative, resolve } from "node:path";
import type { DatabaseStatistics } from "../../../cluster/table-statistics.ts";
import { isInstalled } from "../../../command-line.ts";
import { pending } from "../../../lockfile/chain.ts";
import { knownSql, type Lock } from "../../../lockfile/lock.ts";
import { formatTimes, type MeasuredTimes, timesFileName } from "../../../lockfile/measured-times.ts";
import { exceededTimeouts, predictRevision } from "../../../plan/blocking-time.ts";
import { classify, requiresManualAction } from "../../../plan/live-state.ts";
import { describeState } from "../../../plan/state-report.ts";
import { replaceFile } from "../../../replace-file.ts";
import { backendPython } from "../../alembic.ts";
import type { Deployed } from "../../deployed/deployed.ts";
import { openDeployed } from "../../deployed/open.ts";
import { type Call, CommandError, exitCodes, type Result } from "../../result.ts";
import { fillAll, onDatabase } from "../database.ts";
import type { BlockingTimes, LikeOptions, PredictedRevision } from "./outcome.ts";
import { describeTimes } from "./report.ts";
import { measureChain } from "./trials.ts";

/** Settings of the server: as a live one, which writes to its disk, but without work between the runs. */
const serverSettings = { fsync: "on", autovacuum: "off", max_wal_size: "4GB" };

/**
 * Predicts how long each statement of the pending revisions takes on a live database, and what it blocks.
 *
 * @param lock - Of the chain, verified.
 * @param env - Variables of env.py.
 */
export async function runLike(
  { options, progress }: Call<LikeOptions>,
  like: string,
  lock: Lock,
  env: readonly string[],
): Promise<Result<BlockingTimes>> {
  const backendFolder = resolve(options.backend);
  progress.doing(`reading statistics of ${like}`);
  const deployed = await openLike(like, options, progress.note);
  const [from, statistics] = await readLive(deployed, lock);
  const revisions = pending(lock, from, lock.heads);
  const nothing = {
    like,
    current: from,
    scale: 1,
    slowness: 1,
    otherCollation: null,
    rows: {},
    revisions: [],
    unknownTables: {},
  };
  if (revisions.length === 0) {
    const document = { ...nothing, failed: null, exceeded: [], written: null };
    return { document, text: `Database of ${like} is up to date: nothing to predict`, exitCode: exitCodes.success };
  }
  const python = await backendPython(options, progress.print);
  const measured = await onDatabase(
    options,
    progress,
    (url) => {
      const chain = { lock, backendFolder, python, url, env: fillAll(env, url) };
      return measureChain(chain, revisions, statistics, (step) => progress.doing(step));
    },
    serverSettings,
  );
  const times: MeasuredTimes = { version: 1, like, revisions: measured.times };
  const path = join(backendFolder, timesFileName);
  replaceFile(path, formatTimes(times));
  const { times: _, ...found } = measured;
  const predicted = revisions.flatMap(({ id, title, upgrade }): PredictedRevision[] => {
    const times = measured.times[id];
    if (times === undefined) return [];
    const sql = knownSql(upgrade) ?? [];
    const statements = predictRevision(times, measured.rows).map((each) => ({
      ...each,
      sql: each.statement === null ? null : (sql[each.statement] ?? null),
    }));
    return [{ id, title, statements }];
  });
  const exceeded = exceededTimeouts(
    predicted.map(({ id, statements }) => [id, statements] as const),
    deployed.timeouts,
  );
  const written = relative(process.cwd(), path);
  const document = { like, current: from, ...found, revisions: predicted, exceeded, written };
  const isGood = found.failed === null && exceeded.length === 0;
  return {
    document,
    text: describeTimes(document).join("\n"),
    exitCode: isGood ? exitCodes.success : exitCodes.differs,
  };
}

/** Opens the stack, or, for another app than this project's, the app. */
function openLike(like: string, { backend, context, namespace }: LikeOptions, report: (line: string) => void) {
  const target = { ...(context && { context }), ...(namespace && { namespace }) };
  const isApp = isInstalled || backend !== "backend";
  return openDeployed({ ...target, ...(isApp ? { app: like, backend } : { stack: like }) }, report);
}

/**
 * Reads the revisions and the statistics of a database.
 *
 * @throws {CommandError} If it can't be read, or its revision is not one of the chain.
 */
async function readLive(deployed: Deployed, lock: Lock): Promise<readonly [readonly string[], DatabaseStatistics]> {
  const { reading } = await deployed.readState();
  const state = classify(reading, lock);
  const { message, remediation } = describeState(state, lock, deployed.target, {}, deployed.remedies);
  if (reading.kind !== "rows" || requiresManualAction(state)) throw new CommandError(`${message}\n${remediation}`);
  const statistics = await deployed.readStatistics().catch((error: Error) => {
    throw new CommandError(`can't read the statistics of the database: ${error.message}`);
  });
  return [reading.rows ?? [], statistics];
}
