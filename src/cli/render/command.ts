import { Command } from "commander";
import { projectRoot } from "../../paths.ts";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

/** Adds the options of commands that render a release into files. */
export function addRenderOptions(command: Command): Command {
  return addStackOptions(command)
    .option("--image <reference>", "the backend's image, instead of the stack's")
    .option("--output <folder>", "where the files are", projectRoot)
    .option("--check", "write nothing: say what differs");
}

/** @returns The command `unity render`. */
export function renderProgram(): Command {
  const program = addRenderOptions(new Command("render")).description(
    "Write the release as YAML that kubectl alone can apply: the migrate Job, and the backend.",
  );
  return runs(program, { doing: "Rendering", load: () => import("./run.ts") });
}
