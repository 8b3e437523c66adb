import { Command } from "commander";
import { projectRoot } from "../../paths.ts";
import { type GeneratedFilesOptions, generatedFilesExitCodes, writeOrCheck } from "../generated-files.ts";
import { addStackOptions, ofStack } from "../stack-options.ts";
import type { ReleaseOptions } from "./settings.ts";

/** Adds the options of commands that render a release into files. */
export function addRenderOptions(command: Command): Command {
  return addStackOptions(command)
    .option("--image <reference>", "the backend's image, instead of the stack's")
    .option("--output <folder>", "where the files are", projectRoot)
    .option("--check", "write nothing: say what differs");
}

/** @returns The command `unity render`. */
export function renderProgram(): Command {
  return addRenderOptions(new Command("render"))
    .description("Write the release as YAML that kubectl alone can apply: the migrate Job, and the backend.")
    .addHelpText("after", generatedFilesExitCodes)
    .exitOverride()
    .action(async (options: ReleaseOptions & GeneratedFilesOptions) => {
      // Only here: with them comes the SDK, which takes longer to load than the rest of the command line.
      const [{ withRelease }, { renderFiles }] = await Promise.all([import("./settings.ts"), import("./files.ts")]);
      writeOrCheck(await withRelease(options, renderFiles), options, ofStack("npm run unity -- render", options));
    });
}
