import { expectedOutputs } from "../chain/expected-outputs.ts";
import type { DocumentInputs } from "./inputs.ts";
import { releaseView } from "./release-view.ts";
import { describeSample, describeStates } from "./states.ts";
import { renderTemplate } from "./template.ts";

/** Returns `DATABASE_MIGRATION_GUIDE.md`: how to migrate, verify, and troubleshoot. */
export function migrationGuide(inputs: DocumentInputs): string {
  const { settings, expected, revisions, commands } = inputs;
  const outputs = expectedOutputs(expected);
  return renderTemplate("DATABASE_MIGRATION_GUIDE.md", {
    ...releaseView(inputs),
    revisionCount: revisions.length,
    tableCount: expected.tables.length,
    applicationRole: settings.applicationRole,
    applicationSecret: settings.databaseSecrets.application,
    migrationSecret: settings.databaseSecrets.migrations,
    initContainerUpgrades: settings.initContainer === "upgrade",
    lockTimeoutSeconds: settings.timeouts.lockTimeoutSeconds,
    deadlineSeconds: settings.timeouts.deadlineSeconds,
    currentRows: [
      { prints: "nothing", ...describeSample(inputs, "never-applied") },
      { prints: "another revision of the chain", ...describeSample(inputs, "behind") },
      { prints: `\`${expected.head} (head)\``, ...describeSample(inputs, "at-head") },
    ],
    revisions: revisions.map(({ id, title, downRevisions }) => ({
      id,
      title,
      downRevisions: downRevisions.join(", "),
    })),
    checks: outputs.map(({ title, command, output }, index) => ({
      position: index + 1,
      title,
      item: checklistItem(title),
      command,
      output: output.join("\n"),
    })),
    lastStep: outputs.length + 1,
    states: describeStates(inputs).map((state) => ({ ...state })),
    commands: commands.map(({ name, description }) => ({ name, description })),
  });
}

/** Returns `MIGRATION_QUICKSTART.md`: one page. */
export function migrationQuickstart(inputs: DocumentInputs): string {
  const common = ["never-applied", "behind", "at-head", "unknown-revision"] as const;
  return renderTemplate("MIGRATION_QUICKSTART.md", {
    ...releaseView(inputs),
    commonStates: common.map((kind) => ({ ...describeSample(inputs, kind) })),
  });
}

/** Returns a check's title as an item of a list. */
function checklistItem(title: string): string {
  return title.replace(/\.$/, "").replace(/^./, (first) => first.toLowerCase());
}
