import { commandLine } from "../../command-line.ts";
import type { RestorePointCommand } from "../../manifests/restore-points.ts";
import { openDeployed } from "../deployed/open.ts";
import { type DeployedOptions, selectsApp } from "../deployed/options.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { formatTable } from "../table.ts";
import { runRestoreJob } from "./restore-job.ts";

interface RestoreOptions extends DeployedOptions {
  readonly list?: boolean;
  readonly take?: boolean;
  readonly yes?: boolean;
}

/** Result of a restore. */
export interface Restored {
  /** Name of the restore point. */
  readonly restored: string;
}

/** Result of taking a restore point. */
export interface Taken {
  /** Name of the restore point. */
  readonly taken: string;
}

/** A dump of the database that `src/runner/restore-point.sh` took and checked. */
export interface RestorePoint {
  /** Name of the pod that took it, which starts with the migration Job's. */
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  /** Rows of the version table in it, separated by commas; empty without a revision. */
  readonly revision: string;
  /**
   * `verified`: it was restored into a scratch database. `readable`: it was only read, because the role may not create a
   * database like this one.
   */
  readonly check: "verified" | "readable";
  /** Number of tables with their data. */
  readonly tables: number;
  readonly bytes: number;
}

/**
 * Lists the restore points, takes one, or restores the database from one.
 *
 * @returns The restore, with `--take` the new restore point, or with `--list` the restore points, oldest first.
 */
export async function run(call: Call<RestoreOptions>): Promise<Result<Restored | Taken | readonly RestorePoint[]>> {
  const { options, progress } = call;
  const command = commandOf(call.args[0], options);
  const log = await runScript(command, options, progress.print);
  const exitCode = exitCodes.success;
  switch (command.verb) {
    case "restore":
      return { document: { restored: command.restorePoint }, text: log.trim(), exitCode };
    case "take":
      return { document: { taken: nameOfTaken(log) }, text: log.trim(), exitCode };
    case "list": {
      const points = parseRestorePoints(log);
      return { document: points, text: describeRestorePoints(points), exitCode };
    }
  }
}

function commandOf(name: string | undefined, { list, take, yes }: RestoreOptions): RestorePointCommand {
  const given = [name, list, take].filter((each) => each !== undefined);
  if (given.length !== 1) throw new CommandError("pass either the name of a restore point, --list, or --take");
  if (list) return { verb: "list" };
  if (name === undefined) return { verb: "take" };
  if (!yes) throw new CommandError(`restoring ${name} replaces all data in the database\nTo confirm, pass --yes.`);
  return { verb: "restore", restorePoint: name };
}

async function runScript(
  command: RestorePointCommand,
  options: DeployedOptions,
  print: (line: string) => void,
): Promise<string> {
  const { target, lock, restoreOptions } = await openDeployed(options, print);
  const job = await restoreOptions();
  if (job === undefined) {
    const setting = "run: pulumi config set restorePoint true";
    const argument = "pass to planMigration: policy: { restorePoint: { image: <PostgreSQL image> } }";
    throw new CommandError(`restore points are disabled\nTo enable them, ${selectsApp(options) ? argument : setting}`);
  }
  return runRestoreJob(target, command, job, lock.versionTable, print).catch((error: Error) => {
    throw new CommandError(error.message);
  });
}

/** Returns the name of the restore point that the script's `take` reports. */
function nameOfTaken(output: string): string {
  return /^Created restore point (\S+)/m.exec(output)?.[1] ?? "";
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
  if (points.length === 0)
    return `No restore points. The next migration takes one, or run: ${commandLine("restore", "--take")}`;
  const rows = points.map(({ name, takenAt, revision, check, tables, bytes }) => {
    return [name, takenAt, revision || "none", check, String(tables), formatSize(bytes)];
  });
  return formatTable(["NAME", "TAKEN", "REVISION", "CHECK", "TABLES", "SIZE"], rows).join("\n");
}

function formatSize(bytes: number): string {
  const mebibyte = 1024 * 1024;
  return bytes < mebibyte ? `${Math.ceil(bytes / 1024)}Ki` : `${(bytes / mebibyte).toFixed(1)}Mi`;
}
