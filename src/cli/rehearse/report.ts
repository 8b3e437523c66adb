import { describeChange } from "../../lockfile/database-schema/changes.ts";
import { pluralize } from "../../pluralize.ts";
import { styled } from "../highlight.ts";
import { formatTable } from "../table.ts";
import type { Rehearsal, RehearsedRevision } from "./rehearsal.ts";

/** Maximum number of changes of a revision that are shown. */
const shownChanges = 8;

/** Returns whether the chain did all that it should. */
export function succeeded({ failed, revisions, models }: Rehearsal): boolean {
  return (
    failed === null && (models ?? []).length === 0 && revisions.every((revision) => problemsOf(revision).length === 0)
  );
}

/** Describes a rehearsal: a row for each revision, then what is wrong with it. */
export function describeRehearsal({ postgres, revisions, failed, models }: Rehearsal): string[] {
  const rows = revisions.map((revision) => [
    revision.id,
    `${revision.upgrade.filter(({ readsCatalog }) => !readsCatalog).length}`,
    `${revision.changes.length}`,
    secondsText(revision.upgradeMilliseconds),
    statusOf(revision),
  ]);
  const lines = formatTable(["REVISION", "STATEMENTS", "CHANGES", "TIME", "DOWNGRADE"], rows);
  for (const revision of revisions) {
    const problems = problemsOf(revision);
    if (problems.length > 0)
      lines.push("", `${revision.id}  ${revision.title}`, ...problems.map((line) => `  ${line}`));
  }
  if (models !== null && models.length > 0)
    lines.push(
      "",
      styled("attention", "Models of env.py and schema at the head:"),
      ...models.map((line) => `  ${line}`),
    );
  if (failed !== null)
    lines.push(
      "",
      styled("bad", `${failed.revision} failed in its ${failed.direction}; what follows did not run:`),
      ...indent(failed.error),
    );
  lines.push("", `${pluralize(revisions.length, "revision")} on PostgreSQL ${postgres}`);
  return lines;
}

/** Returns what is wrong with a revision. */
function problemsOf({ downgradeError, againError, leaves, nondeterministic }: RehearsedRevision): string[] {
  const problems: string[] = [];
  if (nondeterministic)
    problems.push(`${styled("bad", "nondeterministic")}: its upgrade differs between two runs in the same process`);
  if (downgradeError !== null) problems.push(`${styled("bad", "downgrade failed")}: ${downgradeError.split("\n")[0]}`);
  if (leaves.length > 0) {
    problems.push(`${styled("bad", "downgrade is incomplete")}: compared with before the upgrade, it leaves`);
    problems.push(...leaves.slice(0, shownChanges).map((change) => `  ${describeChange(change)}`));
    if (leaves.length > shownChanges) problems.push(`  ... ${leaves.length - shownChanges} more changes`);
  }
  if (againError !== null)
    problems.push(`${styled("bad", "upgrade after the downgrade failed")}: ${againError.split("\n")[0]}`);
  return problems;
}

function statusOf({ downgradeError, againError, leaves }: RehearsedRevision): string {
  if (downgradeError !== null) return "failed";
  if (leaves.length > 0) return `leaves ${pluralize(leaves.length, "change")}`;
  return againError === null ? "complete" : "incomplete";
}

export function secondsText(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)}s`;
}

function indent(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}
