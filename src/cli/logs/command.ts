import { Command, InvalidArgumentError, Option } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

const help = 'A line that tells of a database error begins with "! ".';

/** @returns The command `unity logs`. */
export function logsProgram(): Command {
  const program = addStackOptions(new Command("logs"))
    .description("Show the backend's log, or the newest migrate Job's, with database errors marked.")
    .option("-f, --follow", "go on with what comes; with --json, one object a line")
    .option("--job", "the migrate Job's, all of it")
    .addOption(new Option("--tail <lines>", "the last so many lines of each pod").default(50).argParser(wholeNumber));
  return runs(program, { help, load: () => import("./run.ts") });
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 0.");
  return Number(text);
}
