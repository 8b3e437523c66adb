import { Command } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

/** @returns The command `unity status`. */
export function statusProgram(): Command {
  const program = addStackOptions(new Command("status")).description(
    "Show which revision the database is at, and the migrate Jobs that are there.",
  );
  return runs(program, { doing: "Asking the database", load: () => import("./run.ts") });
}
