import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { type StackOptions, withSettings } from "../stack.ts";
import { formatTable } from "../table.ts";
import { runRestoreJob } from "./restore-job.ts";

interface RestoreOptions extends StackOptions {
  readonly list?: boolean;
  readonly yes?: boolean;
}

/** Result of a restore. */
export interface Restored {
  /** Name of the restore point. */
  readonly restored: string;
}

/** A dump of the database that `src/runner/restore-point.sh` took and verified. */
export interface RestorePoint {
  /** Name of the pod that took it, which starts with the migration Job's. */
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  /** Rows of `alembic_version` in it, separated by commas; empty without a revision. */
  readonly revision: string;
  /** Number of tables with their data. */
  readonly tables: number;
  readonly bytes: number;
}

/**
 * Lists the restore points, or restores the database from one.
 *
 * @returns The restore, or with `--list` the restore points, oldest first.
 */
export async function run(call: Call<RestoreOptions>): Promise<Result<Restored | readonly RestorePoint[]>> {
  const { options, progress } = call;
  const [name] = call.args;
  if ((name === undefined) === (options.list === undefined))
    throw new CommandError("pass either the name of a restore point or --list");
  if (name !== undefined && !options.yes)
    throw new CommandError(`restoring ${name} replaces all data in the database\nTo confirm, pass --yes.`);
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
    const { imagePullPolicy, restorePoint, databaseSecrets, databaseTls: tls } = settings;
    if (restorePoint === undefined)
      throw new CommandError("restore points are disabled\nTo enable them, run: pulumi config set restorePoint true");
    const job = { imagePullPolicy, secretName: databaseSecrets.migrations, image: restorePoint.image, tls };
    return runRestoreJob(settings, command, job, print).catch((error: Error) => {
      throw new CommandError(error.message);
    });
  });
}

/**
 * Parses the output of the script's `list`.
 *
 * @throws {CommandError} If it isn't a list.
 */
function parseRestorePoints(output: string): readonly RestorePoint[] {
  const line = output.trim().split("\n").at(-1) ?? "";
  try {
    const points: unknown = JSON.parse(line);
    if (Array.isArray(points)) return points as readonly RestorePoint[];
  } catch {
    // Reported below.
  }
  throw new CommandError(`invalid list of restore points: ${line.slice(0, 200)}`);
}

function describeRestorePoints(points: readonly RestorePoint[]): string {
  if (points.length === 0) return "No restore points. The next migration takes one.";
  const rows = points.map(({ name, takenAt, revision, tables, bytes }) => {
    return [name, takenAt, revision || "none", String(tables), formatSize(bytes)];
  });
  return formatTable(["NAME", "TAKEN", "REVISION", "TABLES", "SIZE"], rows).join("\n");
}

function formatSize(bytes: number): string {
  const mebibyte = 1024 * 1024;
  return bytes < mebibyte ? `${Math.ceil(bytes / 1024)}Ki` : `${(bytes / mebibyte).toFixed(1)}Mi`;
}
