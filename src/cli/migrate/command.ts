import { Command } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

/** @returns The command `unity check`. */
export function checkProgram(): Command {
  const program = addStackOptions(new Command("check")).description(
    "Show the current and the latest revision, apply what is pending by the migrate Job, and verify.",
  );
  return runs(program, { doing: "Checking", load: () => import("./run.ts") });
}
