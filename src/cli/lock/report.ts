import { commandLine } from "../../command-line.ts";
import type { Change, Difference } from "../../lockfile/compare-locks.ts";
import { type Finding, headError, type Lock, type LockedRevision } from "../../lockfile/lock.ts";
import { pluralize } from "../../pluralize.ts";
import { quote } from "../../shell.ts";
import { plain, type Style } from "../highlight.ts";

/** Maximum lines shown of each side of a change. */
const shownLines = 6;

/** Describes differences: each revision by ID and file, with a short diff of its changes. */
export function describeDifferences(
  differences: readonly Difference[],
  after: Lock,
  style: Style = plain,
): readonly string[] {
  const added = new Set(differences.flatMap(({ kind, revisions }) => (kind === "added" ? revisions : [])));
  return differences.flatMap((difference) => describeDifference(difference, after, added, style));
}

function describeDifference(
  { kind, revisions, file, changes }: Difference,
  after: Lock,
  added: ReadonlySet<string>,
  style: Style,
): string[] {
  if (kind === "chain") return ["env.py and the modules of the chain:", ...changes.flatMap(describeChange)];
  if (kind === "order") return ["order of the revisions:", ...changes.flatMap(describeChange)];
  const lines = [`${kind.padEnd(7)} ${revisions.join(", ")} (${file})`];
  const revision = kind === "added" ? after.revisions.find(({ id }) => revisions.includes(id)) : undefined;
  if (revision !== undefined) lines.push(...describeRevision(revision, style));
  for (const { field, after: ids } of changes) {
    if (field !== "downRevisions") continue;
    for (const id of ids)
      if (added.has(id))
        lines.push(
          `  ${id} was inserted before this revision: databases at or past this revision will never apply ${id}`,
        );
  }
  lines.push(...changes.flatMap(describeChange));
  return lines;
}

function describeChange({ field, before, after }: Change): string[] {
  let same = 0;
  while (same < before.length && same < after.length && before[same] === after[same]) same++;
  let end = 0;
  const shorter = Math.min(before.length, after.length) - same;
  while (end < shorter && before.at(-1 - end) === after.at(-1 - end)) end++;
  const side = (sign: string, lines: readonly string[]) => {
    const differing = lines.slice(same, lines.length - end);
    const shown = differing.slice(0, shownLines).map((line) => `    ${sign} ${line}`);
    if (differing.length > shownLines) shown.push(`    ${sign} ... ${differing.length - shownLines} more lines`);
    return shown;
  };
  return [`  ${field}:`, ...side("-", before), ...side("+", after)];
}

/** Describes a revision for its reviewer: title, tables, unknowns, findings. */
function describeRevision(revision: LockedRevision, style: Style): string[] {
  const { title, tables, rollbackBlocker } = revision;
  const changes: string[] = [];
  for (const verb of ["created", "altered", "dropped"] as const) {
    const names = tables?.[verb] ?? [];
    if (names.length > 0) changes.push(`${verb} ${names.join(", ")}`);
  }
  const head = changes.length > 0 ? `  ${title}: ${changes.join("; ")}` : `  ${title}`;
  const lines = [head, ...describeLimits(revision, style)];
  if (rollbackBlocker !== null) lines.push(`  earlier releases may not work after it: ${rollbackBlocker}`);
  return lines;
}

/** Describes a revision's unknowns and findings. */
function describeLimits({ tables, downgrade, findings }: LockedRevision, style: Style): string[] {
  const lines: string[] = [];
  if (downgrade.sql === null) lines.push(`  downgrade SQL is not known: ${downgrade.reason}`);
  const unclassified = tables?.unclassified.length ?? 0;
  if (unclassified > 0)
    lines.push(`  changed tables are unknown: ${pluralize(unclassified, "statement")} of plain text`);
  return lines.concat(findings.map((finding) => describeFinding(finding, style)));
}

function describeFinding({ level, rule, statement, message }: Finding, style: Style): string {
  const title = style(level === "error" ? "bad" : "attention", `${level} ${rule}`);
  return `  ${title}${statement === null ? "" : ` (statement ${statement + 1})`}: ${message}`;
}

/** Describes the unknowns and findings of env.py and of each revision that has some. */
export function describeLimitations(lock: Lock, style: Style = plain): readonly string[] {
  const ofRevisions = lock.revisions.flatMap((revision) => {
    const limits = describeLimits(revision, style);
    return limits.length > 0 ? [`${revision.id} (${revision.file})`, ...limits] : [];
  });
  return lock.env.sql === null ? [`SQL of env.py is not known: ${lock.env.reason}`, ...ofRevisions] : ofRevisions;
}

/** Returns the number of revisions and the head, or what is wrong with the heads. */
export function summarize(lock: Lock): string {
  const error = headError(lock);
  const count = pluralize(lock.revisions.length, "revision");
  return error === null ? `${count}, head ${lock.heads.join()}` : `${count}; ${error}`;
}

/**
 * Returns the command that writes the lockfile.
 *
 * @param rewritten - Differences whose revisions must be named.
 * @param given - Arguments to repeat.
 */
export function rewriteCommand(rewritten: readonly Difference[], given: readonly string[]): string {
  const flags = rewritten.flatMap(({ revisions }) => revisions.flatMap((revision) => ["--rewrite", revision]));
  return commandLine("lock", ...[...given, ...flags].map(quote));
}
