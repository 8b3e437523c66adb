import { Command } from "commander";
import { type GeneratedFilesOptions, generatedFilesExitCodes, writeOrCheck } from "../generated-files.ts";
import { addRenderOptions } from "../render/command.ts";
import type { ReleaseOptions } from "../render/settings.ts";
import { ofStack } from "../stack-options.ts";
import { docsCommand } from "./words.ts";

/** @returns The command `unity docs`. */
export function docsProgram(): Command {
  const program = addRenderOptions(new Command("docs"))
    .description("Write what operators read and run: guide, quick start, status, chain picture, check script, YAML.")
    .addHelpText("after", generatedFilesExitCodes)
    .exitOverride();
  return program.action(async (options: ReleaseOptions & GeneratedFilesOptions) => {
    const commands = (program.parent?.commands ?? []).map((each) => ({
      name: each.name(),
      description: each.description(),
    }));
    const [{ withRelease }, { documentInputs }, { documentFiles }] = await Promise.all([
      import("../render/settings.ts"),
      import("./inputs.ts"),
      import("./files.ts"),
    ]);
    const inputs = await withRelease(options, (settings, release) => documentInputs(settings, release, commands));
    writeOrCheck(documentFiles(inputs), options, ofStack(docsCommand, options));
  });
}
