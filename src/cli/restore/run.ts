import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { type StackOptions, withSettings } from "../stack.ts";
import { runRestoreJob } from "./restore-job.ts";

interface RestoreOptions extends StackOptions {
  readonly list?: boolean;
  readonly yes?: boolean;
}

/** What a database was put back to. */
export interface Restored {
  /** Name of the restore point. */
  readonly restored: string;
}

/**
 * Lists the restore points, or puts the database back to one.
 *
 * @returns What the database was put back to; with `--list` the restore points, the oldest first.
 */
export async function run(call: Call<RestoreOptions>): Promise<Result<Restored | readonly RestorePoint[]>> {
  const { options, progress } = call;
  const [name] = call.args;
  if ((name === undefined) === (options.list === undefined)) {
    throw new CommandError("Name one restore point, or ask for --list.");
  }
  if (name !== undefined && !options.yes) {
    throw new CommandError(`What the database holds would be replaced by ${name}: say --yes if that is meant.`);
  }
  const log = await runScript(name, options, progress.print);
  const exitCode = exitCodes.success;
  if (name !== undefined) return { document: { restored: name }, text: log.trim(), exitCode };
  const points = parseRestorePoints(log);
  return { document: points, text: describeRestorePoints(points), exitCode };
}

async function runScript(
  name: string | undefined,
  options: StackOptions,
  print: (line: string) => void,
): Promise<string> {
  const command = name === undefined ? ({ verb: "list" } as const) : ({ verb: "restore", restorePoint: name } as const);
  return withSettings(options, async (settings) => {
    if (settings.restorePoint === undefined) {
      throw new CommandError("The stack keeps no restore points: pulumi config set restorePoint true");
    }
    const { imagePullPolicy, restorePoint, databaseSecrets, databaseTls: tls } = settings;
    const job = { imagePullPolicy, secretName: databaseSecrets.migrations, image: restorePoint.image, tls };
    return runRestoreJob(settings, command, job, print).catch((error: Error) => {
      throw new CommandError(error.message);
    });
  });
}

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
function parseRestorePoints(output: string): readonly RestorePoint[] {
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
function describeRestorePoints(points: readonly RestorePoint[]): string {
  if (points.length === 0) return "There is no restore point yet: the next migration with restorePoint set takes one.";
  return points
    .map(({ name, takenAt, revision, tables, bytes }) => {
      const size = bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
      return `${name}  ${takenAt}  at ${revision || "no revision"}  ${tables} tables  ${size}`;
    })
    .join("\n");
}
