import { type GeneratedFilesOptions, type WrittenOrChecked, writeOrCheck } from "../generated-files.ts";
import { visibleCommands } from "../program.ts";
import { type ReleaseOptions, withRelease } from "../render/settings.ts";
import type { Call, Result } from "../result.ts";
import { ofStack } from "../stack-options.ts";
import { documentFiles } from "./files.ts";
import { documentInputs } from "./inputs.ts";
import { docsCommand } from "./markdown.ts";

/** Writes the operators' documents, or says in what they differ. */
export async function run(call: Call<ReleaseOptions & GeneratedFilesOptions>): Promise<Result<WrittenOrChecked>> {
  const { options, progress, command } = call;
  const commands = (command.parent === null ? [] : visibleCommands(command.parent)).map((each) => ({
    name: each.name(),
    description: each.description(),
  }));
  const make = (...[settings, release]: Parameters<Parameters<typeof withRelease>[1]>) =>
    documentInputs(settings, release, commands);
  const inputs = await withRelease(options, make, progress.print);
  return writeOrCheck(documentFiles(inputs), options, ofStack(docsCommand, options));
}
