import { Command, Option } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";
import { methods } from "./methods.ts";

const help = `Methods:
  job   the migrate Job that \`pulumi up\` makes, under the same name: the next \`pulumi up\` takes it over
  exec  \`alembic upgrade\` in the backend's pod; without retries, a restore point or a record of the run`;

/** @returns The command `unity apply`. */
export function applyProgram(): Command {
  const program = addStackOptions(new Command("apply"))
    .description("Apply the pending revisions without Pulumi, by the plan and the rules of `pulumi up`.")
    .addOption(new Option("--method <method>", "how").choices(methods).default("job"));
  return runs(program, { doing: "Applying", help, load: () => import("./run.ts") });
}
