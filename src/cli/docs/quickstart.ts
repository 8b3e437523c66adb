import { kubectlFor } from "../render/files.ts";
import type { DocumentInputs } from "./inputs.ts";
import { block, markdownOrigin, scriptCommand, table } from "./markdown.ts";
import { inBackend, methods, scriptOutput } from "./methods.ts";
import { accountOf } from "./states.ts";

/** @returns `MIGRATION_QUICKSTART.md`: one page. */
export function migrationQuickstart(inputs: DocumentInputs): string {
  const { expected, settings } = inputs;
  const rows = (["never-applied", "behind", "at-head", "unknown-revision"] as const).map((kind) => {
    const { heading, message, remediation } = accountOf(inputs, kind);
    return [heading, message, remediation];
  });
  const [byJob] = methods(inputs);
  const commands = byJob?.steps.slice(1).flatMap((step) => step.commands) ?? [];
  return [
    markdownOrigin,
    "# Migration quick start",
    `The database must be at \`${expected.head}\`. With Pulumi, one command brings it there, rolls the backend out and ` +
      "verifies both:",
    block(["pulumi up"], "bash"),
    "Without Pulumi, this migrates and verifies. If there is nothing to migrate, it only verifies:",
    block([scriptCommand], "bash"),
    "Expected:",
    block(scriptOutput(inputs), "text"),
    "## Only look",
    block([`${scriptCommand} --check`, inBackend(inputs, "alembic current")], "bash"),
    table(["state", "what the program says", "what to do"], rows),
    "## The Job by hand",
    block(commands, "bash"),
    "## If something is wrong",
    block(
      [
        `${kubectlFor(settings)} get pods,jobs -n ${settings.namespace}`,
        "npm run unity -- status",
        "npm run unity -- history",
      ],
      "bash",
    ),
    "A migration that fails leaves the database at the revision before the failed one, and the old backend serving. Every state " +
      "and what to do about it: [the guide](DATABASE_MIGRATION_GUIDE.md#troubleshooting).",
  ].join("\n\n");
}
