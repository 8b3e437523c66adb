import { printable } from "../../printable.ts";
import { describeChain } from "../chain/describe.ts";
import { visibleCommands } from "../command.ts";
import {
  type GeneratedFile,
  type GeneratedFilesOptions,
  type WrittenOrChecked,
  writeOrCheck,
} from "../generated-files.ts";
import { renderFiles } from "../render/files.ts";
import { type ReleaseOptions, withRelease } from "../render/run.ts";
import type { Call, Result } from "../result.ts";
import { ofStack } from "../stack.ts";
import { migrationGuide, migrationQuickstart } from "./guide.ts";
import { type DocumentInputs, documentInputs } from "./inputs.ts";
import { docsCommand, documentsFolder, origin } from "./markdown.ts";
import { migrationStatus } from "./migration-status.ts";
import { renderScript } from "./script.ts";

/**
 * Writes the operators' documents, or with `--check` reports which are stale.
 *
 * @returns The documents that were written, or how they differ.
 */
export async function run(call: Call<ReleaseOptions & GeneratedFilesOptions>): Promise<Result<WrittenOrChecked>> {
  const { options, progress, command } = call;
  const visible = command.parent === null ? [] : visibleCommands(command.parent);
  const commands = visible.map((each) => ({ name: each.name(), description: each.description() }));
  const inputs = await withRelease(
    options,
    (settings, release) => documentInputs(settings, release, commands),
    progress.print,
  );
  return writeOrCheck(documentFiles(inputs), options, ofStack(docsCommand, options));
}

/** Returns the operators' documents, the check script, and the release's YAML. */
function documentFiles(inputs: DocumentInputs): readonly GeneratedFile[] {
  const file = (name: string, text: string, executable = false): GeneratedFile => ({
    path: `${documentsFolder}/${name}`,
    text: `${printable(text.trimEnd())}\n`,
    executable,
  });
  return [
    file("MIGRATION_STATUS.md", migrationStatus(inputs)),
    file("DATABASE_MIGRATION_GUIDE.md", migrationGuide(inputs)),
    file("MIGRATION_QUICKSTART.md", migrationQuickstart(inputs)),
    file("migration-chain.txt", `${origin}\n\n${describeChain(inputs)}`),
    file("check_migrations.sh", renderScript(inputs), true),
    ...renderFiles(inputs.settings, inputs.release),
  ];
}
