import { Command } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

const help =
  "Name a stack or a context, and the database is asked which revisions it has; else the cluster is left alone.";

/** @returns The command `unity chain`. */
export function chainProgram(): Command {
  const program = addStackOptions(new Command("chain"))
    .description("Show the chain as a picture, the tables that it makes, and what a database at its head answers.")
    .option("--svg <file>", "write the picture as SVG, for light and dark pages");
  return runs(program, { doing: "Drawing the chain", help, load: () => import("./run.ts") });
}
