/** Timeouts of a migration in seconds. Those without a default are each shorter than the next. */
export interface Timeouts {
  /** Time that one statement may wait for a table lock. */
  readonly lockTimeoutSeconds: number;
  /** Time that one statement may take. */
  readonly statementTimeoutSeconds: number;
  /** Time that the migration may take once its container runs, including retries. */
  readonly deadlineSeconds: number;
  /** Time that `pulumi up` waits for the Job, without the times for its start and for a restore point. */
  readonly awaitTimeoutSeconds: number;
  /**
   * Time until the pod has a node, its volumes, and its image, and init containers of its configuration have ended, by which
   * the Job's deadline and the wait for it are extended.
   *
   * @defaultValue 600
   */
  readonly startTimeoutSeconds?: number | undefined;
  /**
   * Time that a restore point may take, by which the Job's deadline and the wait for it are extended; also that of a restore.
   *
   * @defaultValue 3600
   */
  readonly restorePointTimeoutSeconds?: number | undefined;
}

/** Default of {@link Timeouts.startTimeoutSeconds}. */
export const defaultStartTimeoutSeconds = 600;

/** Default of {@link Timeouts.restorePointTimeoutSeconds}. */
export const defaultRestorePointTimeoutSeconds = 3600;

/** Returns timeouts with defaults; the wait for a Job ends after its deadline. */
export function defaultTimeouts(given: Partial<Timeouts>): Timeouts {
  const { lockTimeoutSeconds = 5, statementTimeoutSeconds = 300, deadlineSeconds = 600 } = given;
  const { awaitTimeoutSeconds = deadlineSeconds + 60, startTimeoutSeconds, restorePointTimeoutSeconds } = given;
  return {
    lockTimeoutSeconds,
    statementTimeoutSeconds,
    deadlineSeconds,
    awaitTimeoutSeconds,
    startTimeoutSeconds,
    restorePointTimeoutSeconds,
  };
}

/** Timeouts of which each must be shorter than the next. */
const increasingTimeouts = [
  "lockTimeoutSeconds",
  "statementTimeoutSeconds",
  "deadlineSeconds",
  "awaitTimeoutSeconds",
] as const;

/** Timeout that is not an integer, not positive, or not greater than the one before it. */
interface TimeoutError {
  readonly name: keyof Timeouts;
  readonly seconds: number;
  /** Seconds that it must exceed. */
  readonly minimum: number;
  /** The same as text, with the timeout that sets it: `lockTimeoutSeconds (5)`. */
  readonly bound: string;
}

/** Returns the errors in a set of timeouts. */
export function timeoutErrors(timeouts: Timeouts): readonly TimeoutError[] {
  const errors: TimeoutError[] = [];
  let minimum = 0;
  let bound = "0";
  for (const name of increasingTimeouts) {
    const seconds = timeouts[name];
    if (!Number.isInteger(seconds) || seconds <= minimum) errors.push({ name, seconds, minimum, bound });
    minimum = seconds;
    bound = `${name} (${seconds})`;
  }
  for (const name of ["startTimeoutSeconds", "restorePointTimeoutSeconds"] as const) {
    const seconds = timeouts[name];
    if (seconds !== undefined && !(Number.isInteger(seconds) && seconds > 0))
      errors.push({ name, seconds, minimum: 0, bound: "0" });
  }
  return errors;
}
