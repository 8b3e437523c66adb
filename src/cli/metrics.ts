import { Gauge, type OpenMetricsContentType, Registry } from "prom-client";
import type { CommandTarget } from "../kubectl-command.ts";
import { type DriftReport, differencesOf } from "../plan/drift.ts";
import type { LiveState } from "../plan/live-state.ts";
import { type RunRecord, secondsOf } from "../plan/run-record.ts";

/** Database that the metrics describe. */
export interface Measured {
  /** Name of the app. */
  readonly app: string;
  readonly target: CommandTarget;
  readonly state: LiveState;
  /** Number of revisions of the lockfile. */
  readonly total: number;
  /** `null` if it is not known. */
  readonly drift: DriftReport | null;
  /** The last recorded run; `undefined` if there is none, or it can't be read. */
  readonly lastRun: RunRecord | undefined;
}

type Labels = Readonly<Record<string, string>>;

/**
 * Returns the state of a database and its last migration as OpenMetrics
 * (https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md), for the textfile collector of the node
 * exporter or a push gateway. What is not known is absent. It contains no error and no SQL.
 */
export async function openMetrics({ app, target, state, total, drift, lastRun }: Measured): Promise<string> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  registry.setDefaultLabels({ app, namespace: target.namespace ?? "" });
  const gauge = (name: string, help: string, value: number, labels: Labels = {}) => {
    const labelNames = Object.keys(labels);
    new Gauge({ name: `pulumi_alembic_${name}`, help, labelNames, registers: [registry] }).set(labels, value);
  };
  gauge("database_readable", "Whether the revision of the database could be read.", Number(isRead(state)));
  const behind = revisionsBehind(state, total);
  if (behind !== undefined) gauge("revisions_behind", "Revisions of the lockfile that the database lacks.", behind);
  const revision = revisionOf(state);
  if (revision !== undefined) gauge("revision", "The revision of the database.", 1, { revision });
  if (drift !== null && !("reason" in drift))
    gauge("drift", "Differences of the live schema from the one of its revisions.", differencesOf(drift).length);
  if (lastRun !== undefined) {
    const { startedAt, direction, outcome, blockedSeconds } = lastRun;
    const started = Date.parse(startedAt) / 1000;
    gauge("last_run_start_timestamp_seconds", "Start of the last migration.", started);
    gauge("last_run", "The last migration, by its direction and outcome.", 1, { direction, outcome });
    const seconds = secondsOf(lastRun);
    if (seconds !== null) gauge("last_run_seconds", "Duration of the last migration.", seconds);
    const blocked = "Time in which another session waited for a lock of the last migration.";
    if (blockedSeconds !== null) gauge("last_run_blocked_seconds", blocked, blockedSeconds);
  }
  return (await registry.metrics()).trimEnd();
}

function isRead({ kind }: LiveState): boolean {
  return kind !== "unreachable" && kind !== "not-deployed";
}

/** Returns how many revisions are pending; `undefined` if the lockfile doesn't show it. */
function revisionsBehind(state: LiveState, total: number): number | undefined {
  switch (state.kind) {
    case "never-applied":
      return total;
    case "behind":
      return state.pending;
    case "at-head":
    case "beyond-target":
    case "ahead":
      return 0;
    default:
      return undefined;
  }
}

/** Returns the database's revision, several separated by commas. */
function revisionOf(state: LiveState): string | undefined {
  if (state.kind === "at-head") return state.revision;
  return "revisions" in state ? state.revisions.join(",") : undefined;
}
