import type { DatabaseIdentity, Reading } from "./live-state.ts";
import { type Direction, type PlanStart, planHash } from "./plan-hash.ts";
import type { Work } from "./work.ts";

/** Version of the format. The runner (`src/runner/runner_job_plan.py`) rejects any other. */
const jobPlanVersion = 1;

/**
 * The plan as a migration Job gets it: the runner refuses to change a database that is another one, or that is neither at
 * the start of the plan nor after one of its revisions.
 */
export interface JobPlan {
  readonly version: typeof jobPlanVersion;
  /** Identity of the plan, also if nothing is pending; `null` if the database's revision is unknown. */
  readonly hash: string | null;
  readonly direction: Direction;
  /** Rows of the version table at the start; `null` if they are unknown: then any revisions may be applied. */
  readonly from: readonly string[] | null;
  /** The database that the plan was made for; `null` if none could be queried. */
  readonly database: DatabaseIdentity | null;
}

/** Returns the plan of a new Job. */
export function jobPlan(
  reading: Reading,
  { direction, from: start, revisions }: Work,
  { image, lock }: { readonly image: string | undefined } & Pick<PlanStart, "lock">,
): JobPlan {
  const isKnown = reading.kind === "rows";
  const from = isKnown ? (reading.rows ?? []) : start;
  const isWhole = from !== null && revisions !== null && image !== undefined;
  const hash = isWhole ? planHash({ image, direction, from, lock }, revisions) : null;
  return { version: jobPlanVersion, hash, direction, from, database: isKnown ? (reading.database ?? null) : null };
}
