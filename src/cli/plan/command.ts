import { Command } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

/** @returns The command `unity plan`. */
export function planProgram(): Command {
  const program = addStackOptions(new Command("plan"))
    .description("Show what `pulumi up` would do to the database: the pending revisions with their SQL, and the Job.")
    .option("--full", "show whole statements; JSON has them anyway");
  return runs(program, { doing: "Planning", load: () => import("./run.ts") });
}
