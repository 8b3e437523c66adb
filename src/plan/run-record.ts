/** One run of the runner that had something to do, as it keeps it in the database, in `unity_migrations.runs`. */
export interface RunRecord {
  readonly id: number;
  /** ISO 8601 with the server's offset. */
  readonly startedAt: string;
  /** `null` while it runs, or if it ended without a word. */
  readonly finishedAt: string | null;
  readonly direction: "upgrade" | "downgrade";
  /** Rows of `alembic_version` before it. */
  readonly from: readonly string[];
  /** Rows of `alembic_version` after it; `null` while it runs. */
  readonly to: readonly string[] | null;
  /** What it was to reach. */
  readonly target: readonly string[];
  /** The image that it ran in. */
  readonly image: string;
  readonly planHash: string;
  readonly outcome: "running" | "succeeded" | "failed" | "interrupted";
  /** What went wrong, without any secret; `null` if nothing did. */
  readonly error: string | null;
  /** The pod that it ran in. */
  readonly runner: string;
}

/** The table that the runner writes. */
export const runRecordTable = "unity_migrations.runs";

/** @returns Seconds that a run took; `null` if it has not ended. */
export function secondsOf({ startedAt, finishedAt }: RunRecord): number | null {
  return finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
}

/** @returns The runs for people, two lines each at most, in the order given. */
export function describeRuns(runs: readonly RunRecord[]): string {
  if (runs.length === 0) return "No run is recorded: nothing was migrated yet, or the role may not keep a record.";
  return runs.flatMap(describeRun).join("\n");
}

function describeRun(run: RunRecord): string[] {
  const seconds = secondsOf(run);
  const took = seconds === null ? "" : ` in ${seconds.toFixed(1)} s`;
  const ends = run.to ?? run.target;
  const when = run.startedAt.replace("T", " ").replace(/\.\d+/, "");
  const error = run.error === null ? [] : [`      ${run.error.split("\n").join(" | ")}`];
  return [
    `${String(run.id).padStart(4)}  ${when}  ${run.outcome}${took}  ${run.direction} ${revisions(run.from)} -> ${revisions(ends)}`,
    `      ${run.image}  plan ${run.planHash}  ${run.runner}`,
    ...error,
  ];
}

function revisions(rows: readonly string[]): string {
  return rows.length === 0 ? "no revision" : rows.join(", ");
}
