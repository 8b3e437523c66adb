/** A run of the runner that had pending work, as recorded in the database table `pulumi_alembic.runs`. */
export interface RunRecord {
  readonly id: number;
  /** Time in ISO 8601, with the server's offset. */
  readonly startedAt: string;
  /** `null` while it runs, or if it ended without recording it. */
  readonly finishedAt: string | null;
  readonly direction: "upgrade" | "downgrade";
  /** Rows of the version table before it. */
  readonly from: readonly string[];
  /** Rows of the version table after it; `null` while it runs. */
  readonly to: readonly string[] | null;
  /** The revisions to reach. */
  readonly target: readonly string[];
  /** The image that ran it. */
  readonly image: string;
  readonly planHash: string;
  readonly outcome: "running" | "succeeded" | "failed" | "interrupted";
  /** The error, without secrets; `null` if there is none. */
  readonly error: string | null;
  /** The pod that ran it. */
  readonly runner: string;
  /**
   * Seconds in which at least one other session waited for a lock of the run, sampled twice a second; `null` while it runs, if it
   * ended without recording it, and for runs of earlier releases.
   */
  readonly blockedSeconds: number | null;
}

/** The table that the runner writes. */
export const runRecordTable = { schema: "pulumi_alembic", name: "runs" } as const;

/** Returns the duration of a run in seconds; `null` if it has not ended. */
export function secondsOf({ startedAt, finishedAt }: RunRecord): number | null {
  return finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
}

/** Describes runs in the given order: two lines each, and one for an error. */
export function describeRuns(runs: readonly RunRecord[]): string {
  if (runs.length === 0) return "No recorded runs: nothing was migrated, or the role can't create the table of runs.";
  return runs.flatMap(describeRun).join("\n");
}

function describeRun(run: RunRecord): string[] {
  const seconds = secondsOf(run);
  const took = seconds === null ? "" : ` in ${seconds.toFixed(1)}s`;
  const blocked = run.blockedSeconds ? ` (blocked others for ${run.blockedSeconds.toFixed(1)}s)` : "";
  const ends = (run.outcome === "succeeded" ? run.to : null) ?? run.target;
  const when = run.startedAt.replace("T", " ").replace(/\.\d+/, "");
  const lines = [
    `${String(run.id).padStart(4)}  ${when}  ${run.outcome}${took}${blocked}  ${run.direction} ${revisions(run.from)} -> ${revisions(ends)}${stoppedAt(run)}`,
    `      ${run.image}  plan ${run.planHash}  ${run.runner}`,
  ];
  if (run.error !== null) lines.push(`      ${run.error.split("\n").join(" | ")}`);
  return lines;
}

/** Says where a run ended, if it didn't reach its target. */
function stoppedAt({ outcome, to }: RunRecord): string {
  return outcome === "succeeded" || to === null ? "" : `, stopped at ${revisions(to)}`;
}

function revisions(rows: readonly string[]): string {
  return rows.length === 0 ? "base" : rows.join(", ");
}
