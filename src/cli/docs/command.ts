import { Command } from "commander";
import { addRenderOptions } from "../render/command.ts";
import { runs } from "../runs.ts";

/** @returns The command `unity docs`. */
export function docsProgram(): Command {
  const program = addRenderOptions(new Command("docs")).description(
    "Write what operators read and run: guide, quick start, status, chain picture, check script, YAML.",
  );
  return runs(program, { doing: "Writing the documents", load: () => import("./run.ts") });
}
