import { CommandError, exitCodes } from "../command-error.ts";
import type { Call, Result } from "../result.ts";
import type { StackOptions } from "../stack-options.ts";
import { withSettings } from "../stack-settings.ts";
import { runRestoreJob } from "./restore-job.ts";
import { describeRestorePoints, parseRestorePoints, type RestorePoint } from "./restore-point.ts";

interface RestoreOptions extends StackOptions {
  readonly list?: boolean;
  readonly yes?: boolean;
}

/** What a database was put back to. */
export interface Restored {
  /** Name of the restore point. */
  readonly restored: string;
}

/** Lists the restore points, or puts the database back to one. */
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
