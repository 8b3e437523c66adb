import { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { addStackOptions, type StackOptions } from "../stack-options.ts";
import { withSettings } from "../stack-settings.ts";
import { runRestoreJob } from "./restore-job.ts";
import { describeRestorePoints, parseRestorePoints } from "./restore-point.ts";

interface RestoreOptions extends StackOptions {
  readonly json?: boolean;
  readonly list?: boolean;
  readonly yes?: boolean;
}

const help = `
The database is put back in one transaction: all of it, or nothing if that fails. What was written since is lost, so stop
what writes first: kubectl scale deployment/unity-backend --replicas=0. Afterwards the database is at the restore point's
revision: deploy the release that ends there, or \`pulumi up\` applies what came after it anew.

Exit codes:
  0  done
  2  wrong usage, or it can't be done: the database is as it was`;

/** @returns The command `unity restore`. */
export function restoreProgram(): Command {
  return addStackOptions(new Command("restore"))
    .description("Put the database back to a restore point that was taken before a migration.")
    .argument("[restore-point]", "its name, as --list shows it")
    .option("--list", "show the restore points, oldest first")
    .option("--yes", "do it, without which nothing is done")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (name: string | undefined, options: RestoreOptions) => {
      if ((name === undefined) === (options.list === undefined)) {
        throw new CommandError("Name one restore point, or ask for --list.");
      }
      if (name !== undefined && !options.yes) {
        throw new CommandError(`What the database holds would be replaced by ${name}: say --yes if that is meant.`);
      }
      const output = await restore(name, options);
      process.stdout.write(`${output}\n`);
    });
}

async function restore(name: string | undefined, options: RestoreOptions): Promise<string> {
  const command = name === undefined ? ({ verb: "list" } as const) : ({ verb: "restore", restorePoint: name } as const);
  const log = await withSettings(options, async (settings) => {
    if (settings.restorePoint === undefined) {
      throw new CommandError("The stack keeps no restore points: pulumi config set restorePoint true");
    }
    const { imagePullPolicy, restorePoint, databaseSecrets, databaseTls: tls } = settings;
    const job = { imagePullPolicy, secretName: databaseSecrets.migrations, image: restorePoint.image, tls };
    return runRestoreJob(settings, command, job, (line) => process.stderr.write(`${line}\n`)).catch((error: Error) => {
      throw new CommandError(error.message);
    });
  });
  if (name !== undefined) return options.json ? JSON.stringify({ restored: name }) : log.trim();
  const points = parseRestorePoints(log);
  return options.json ? JSON.stringify(points, null, 2) : describeRestorePoints(points);
}
