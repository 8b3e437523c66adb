import type { Change, Difference } from "../../lockfile/compare-locks.ts";
import { type Finding, headError, type Lock, type LockedRevision, lockCommand } from "../../lockfile/lock.ts";

/** Lines that one side of a change shows at most. */
const shownLines = 6;

/** @returns Lines that say precisely what differs, each revision by id and file, with a short diff of what changed. */
export function describeDifferences(differences: readonly Difference[], after: Lock): string[] {
  const locked = new Set(differences.flatMap(({ kind, revisions }) => (kind === "added" ? revisions : [])));
  return differences.flatMap((difference) => describeDifference(difference, after, locked));
}

function describeDifference(difference: Difference, after: Lock, added: ReadonlySet<string>): string[] {
  const { kind, changes } = difference;
  if (kind === "order") return ["order of the revisions:", ...changes.flatMap(describeChange)];
  const name = `${difference.revisions.join(", ")} (${difference.file})`;
  const inserted = changes
    .filter(({ field }) => field === "downRevisions")
    .flatMap(({ after: ids }) => ids.filter((id) => added.has(id)))
    .map((id) => `  ${id} is new and was put under it: a database that is past it would never get ${id}`);
  const revision = kind === "added" ? after.revisions.find(({ id }) => difference.revisions.includes(id)) : undefined;
  return [`${kind.padEnd(7)} ${name}`, ...(revision ? describeRevision(revision) : []), ...inserted].concat(
    changes.flatMap(describeChange),
  );
}

function describeChange({ field, before, after }: Change): string[] {
  let same = 0;
  while (same < before.length && same < after.length && before[same] === after[same]) same++;
  let end = 0;
  const shorter = Math.min(before.length, after.length) - same;
  while (end < shorter && before.at(-1 - end) === after.at(-1 - end)) end++;
  const show = (sign: string, lines: readonly string[]) => {
    const differing = lines.slice(same, lines.length - end);
    const more = differing.length - shownLines;
    return [
      ...differing.slice(0, shownLines).map((line) => `    ${sign} ${line}`),
      ...(more > 0 ? [`    ${sign} ... ${more} more lines`] : []),
    ];
  };
  return [`  ${field}:`, ...show("-", before), ...show("+", after)];
}

/** @returns What a reviewer should know of a revision: its title, its tables, what is not known, what can't be undone. */
function describeRevision(revision: LockedRevision): string[] {
  const { tables } = revision;
  const verbs = tables ? (["created", "altered", "dropped"] as const) : [];
  const changes = verbs.flatMap((verb) => (tables?.[verb].length ? [`${verb} ${tables[verb].join(", ")}`] : []));
  return [`  ${revision.title}${changes.length > 0 ? `: ${changes.join("; ")}` : ""}`, ...describeLimits(revision)];
}

/** @returns What is not known of a revision, and what is found against it. */
function describeLimits(revision: LockedRevision): string[] {
  const unclassified = revision.tables?.unclassified.length ?? 0;
  const { downgrade } = revision;
  return [
    ...(downgrade.sql === null ? [`  downgrade has no SQL without a database: ${downgrade.reason}`] : []),
    ...(unclassified > 0 ? [`  ${unclassified} statements are text: the tables they change are not known`] : []),
    ...revision.findings.map(describeFinding),
  ];
}

function describeFinding({ level, rule, statement, message }: Finding): string {
  return `  ${level} ${rule}${statement === null ? "" : ` (statement ${statement + 1})`}: ${message}`;
}

/** @returns Each revision that has something unknown or a finding, with what it is. */
export function describeLimitations(lock: Lock): string[] {
  return lock.revisions.flatMap((revision) => {
    const limits = describeLimits(revision);
    return limits.length > 0 ? [`${revision.id} (${revision.file})`, ...limits] : [];
  });
}

/** @returns How many revisions, which head; what is wrong with the heads, if something is. */
export function summarize(lock: Lock): string {
  const error = headError(lock);
  return `${lock.revisions.length} revisions${error === null ? `, head ${lock.heads.join()}` : `; ${error}`}`;
}

/**
 * @param rewritten Revisions that need to be named.
 * @param given Options of the command line that matter to the next one as well.
 * @returns The command that writes the lock.
 */
export function rewriteCommand(rewritten: readonly Difference[], given: readonly string[]): string {
  const flags = rewritten.flatMap(({ revisions }) => revisions.flatMap((revision) => ["--rewrite", revision]));
  const args = [...given, ...flags].map(quote);
  return [lockCommand, ...(args.length > 0 ? ["--", ...args] : [])].join(" ").replace("-- lock --", "-- lock");
}

function quote(argument: string): string {
  return /^[\w./:@=+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
