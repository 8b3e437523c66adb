import { Command } from "commander";
import { checkNames } from "../../checks/names.ts";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

const help = `Checks: ${checkNames.join(", ")}.
\`execution\` executes a plugin by the API, looks for its row in the database, and removes it again.`;

/** @returns The command `unity verify`. */
export function verifyProgram(): Command {
  const program = addStackOptions(new Command("verify"))
    .description("Run the checks that `pulumi up` runs after a rollout.")
    .argument("[check...]", "names of checks; else all");
  return runs(program, { doing: "Checking", help, load: () => import("./run.ts") });
}
