import { describeChain } from "../chain/describe.ts";
import type { GeneratedFile } from "../generated-files.ts";
import { renderFiles } from "../render/files.ts";
import { migrationGuide } from "./guide.ts";
import type { DocumentInputs } from "./inputs.ts";
import { documentsFolder, origin } from "./markdown.ts";
import { migrationStatus } from "./migration-status.ts";
import { migrationQuickstart } from "./quickstart.ts";
import { renderScript } from "./script.ts";

/** @returns All that an operator has to read and to run, each with one newline at its end. */
export function documentFiles(inputs: DocumentInputs): readonly GeneratedFile[] {
  const file = (name: string, text: string, executable = false): GeneratedFile => ({
    path: `${documentsFolder}/${name}`,
    text: `${text.trimEnd()}\n`,
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
