import { Command, InvalidArgumentError, Option } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

/** @returns The command `unity history`. */
export function historyProgram(): Command {
  const program = addStackOptions(new Command("history"))
    .description("Show the migrations that ran on the database, as it keeps them, oldest first.")
    .addOption(new Option("--limit <count>", "the newest so many").default(20).argParser(positiveInteger));
  return runs(program, { doing: "Asking the database", load: () => import("./run.ts") });
}

function positiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}
