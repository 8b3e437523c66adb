import { expectedOutputs } from "../chain/expected-outputs.ts";
import type { DocumentInputs } from "./inputs.ts";
import { releaseView } from "./release-view.ts";
import { accountOf, stateAccounts } from "./states.ts";
import { renderTemplate } from "./template.ts";

/** Returns `DATABASE_MIGRATION_GUIDE.md`: everything an operator needs, from the first look to the last check. */
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
      { prints: "nothing", ...accountOf(inputs, "never-applied") },
      { prints: "another revision of the chain", ...accountOf(inputs, "behind") },
      { prints: `\`${expected.head} (head)\``, ...accountOf(inputs, "at-head") },
    ],
    revisions: revisions.map(({ id, title, downRevisions }) => ({
      id,
      title,
      downRevisions: downRevisions.join(", "),
    })),
    checks: outputs.map(({ title, command, prints }, index) => ({
      position: index + 1,
      title,
      item: checklistItem(title),
      command,
      prints: prints.join("\n"),
    })),
    lastStep: outputs.length + 1,
    states: stateAccounts(inputs).map((account) => ({ ...account })),
    commands: commands.map(({ name, description }) => ({ name, description })),
  });
}

/** Returns `MIGRATION_QUICKSTART.md`: one page. */
export function migrationQuickstart(inputs: DocumentInputs): string {
  const common = ["never-applied", "behind", "at-head", "unknown-revision"] as const;
  return renderTemplate("MIGRATION_QUICKSTART.md", {
    ...releaseView(inputs),
    commonStates: common.map((kind) => ({ ...accountOf(inputs, kind) })),
  });
}

/** Returns a check's title as an item of a list. */
function checklistItem(title: string): string {
  return title.replace(/\.$/, "").replace(/^./, (first) => first.toLowerCase());
}
