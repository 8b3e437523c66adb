import { Command, InvalidArgumentError, Option } from "commander";
import { Kubectl } from "../../cluster/kubectl.ts";
import { readRuns } from "../../cluster/run-records.ts";
import { describeRuns } from "../../migrations/run-record.ts";
import { CommandError } from "../command-error.ts";
import { addStackOptions, readTarget, type StackOptions } from "../stack-options.ts";

interface HistoryOptions extends StackOptions {
  readonly json?: boolean;
  readonly limit: number;
}

const help = `
Exit codes:
  0  the runs are shown; there may be none
  2  wrong usage, or the database can't be asked`;

/** @returns The command `unity history`. */
export function historyProgram(): Command {
  return addStackOptions(new Command("history"))
    .description("Show the migrations that ran on the database, as it keeps them, oldest first.")
    .addOption(new Option("--limit <count>", "the newest so many").default(20).argParser(positiveInteger))
    .option("--json", "print them as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (options: HistoryOptions) => {
      const { target, owned } = readTarget(options);
      const runs = await readRuns(new Kubectl(target), owned).catch((error: Error) => {
        throw new CommandError(`The database can't be asked: ${error.message}`);
      });
      const newest = runs.slice(-options.limit);
      process.stdout.write(`${options.json ? JSON.stringify(newest, null, 2) : describeRuns(newest)}\n`);
    });
}

function positiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}
