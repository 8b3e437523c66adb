import { CommandError } from "../command-error.ts";

/** A dump of the database that `src/runner/restore-point.sh` took and verified. */
export interface RestorePoint {
  /** The name of the pod that took it, which starts with the migrate Job's. */
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  /** Rows of `alembic_version` in it, with commas between them; empty if it was never migrated. */
  readonly revision: string;
  /** Tables with their rows. */
  readonly tables: number;
  readonly bytes: number;
}

/** @returns The restore points that `list` printed, oldest first. @throws {CommandError} If it printed something else. */
export function parseRestorePoints(output: string): readonly RestorePoint[] {
  const line = output.trim().split("\n").at(-1) ?? "";
  try {
    const points: unknown = JSON.parse(line);
    if (Array.isArray(points)) return points as readonly RestorePoint[];
  } catch {
    // said below
  }
  throw new CommandError(`The list of restore points can't be read: ${line.slice(0, 200)}`);
}

/** @returns The restore points for people, one a line. */
export function describeRestorePoints(points: readonly RestorePoint[]): string {
  if (points.length === 0) return "There is no restore point yet: the next migration with restorePoint set takes one.";
  return points
    .map(({ name, takenAt, revision, tables, bytes }) => {
      const size = bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
      return `${name}  ${takenAt}  at ${revision || "no revision"}  ${tables} tables  ${size}`;
    })
    .join("\n");
}
