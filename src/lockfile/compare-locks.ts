import type { Finding } from "./finding.ts";
import type { Lock, LockedRevision, LockedSql } from "./lock.ts";
import type { StatementLock } from "./statement-lock.ts";

/** What is derived from a revision and may change with the linter's version: it is not what databases have. */
const derived: ReadonlySet<string> = new Set(["findings", "locks"]);

/** One property of a revision that differs, each side as lines of text. */
export interface Change {
  readonly field: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** One difference between the lock that was reviewed and what Alembic says now. */
export interface Difference {
  /** `order`: the same revisions in another order. */
  readonly kind: "added" | "removed" | "changed" | "order";
  /** Ids; one unless `kind` is `order`. */
  readonly revisions: readonly string[];
  /** The revision's file, relative to the backend's folder. */
  readonly file: string | null;
  readonly changes: readonly Change[];
}

/** @returns What differs between `before` and `after`: first what concerns locked revisions, then what was added. */
export function compareLocks(before: Lock, after: Lock): Difference[] {
  const now = new Map(after.revisions.map((revision) => [revision.id, revision]));
  const then = new Set(before.revisions.map(({ id }) => id));
  const locked = before.revisions.flatMap((revision): Difference[] => {
    const { id, file } = revision;
    const other = now.get(id);
    if (other === undefined) return [{ kind: "removed", revisions: [id], file, changes: [] }];
    const changes = compareRevisions(revision, other);
    return changes.length > 0 ? [{ kind: "changed", revisions: [id], file: other.file, changes }] : [];
  });
  const added = after.revisions
    .filter(({ id }) => !then.has(id))
    .map(({ id, file }): Difference => ({ kind: "added", revisions: [id], file, changes: [] }));
  return [...locked, ...compareOrder(before, after), ...added];
}

/**
 * @returns The differences that `unity lock` must not write without being told so: of revisions not in `allowed`, in
 *   more than their findings and locks.
 */
export function rejectedDifferences(differences: readonly Difference[], allowed: ReadonlySet<string>): Difference[] {
  return differences.filter(
    ({ kind, revisions, changes }) =>
      (kind === "removed" || (kind === "changed" && changes.some(({ field }) => !derived.has(field)))) &&
      !revisions.every((revision) => allowed.has(revision)),
  );
}

function compareOrder(before: Lock, after: Lock): Difference[] {
  const [then, now] = [before, after].map((lock) => lock.revisions.map(({ id }) => id)) as [string[], string[]];
  const [inThen, inNow] = [new Set(then), new Set(now)];
  const [common, commonNow] = [then.filter((id) => inNow.has(id)), now.filter((id) => inThen.has(id))];
  if (same(common, commonNow)) return [];
  const moved = common.filter((id, index) => id !== commonNow[index]);
  const changes = [{ field: "order", before: common, after: commonNow }];
  return [{ kind: "order", revisions: moved, file: null, changes }];
}

function compareRevisions(before: LockedRevision, after: LockedRevision): Change[] {
  const [then, now] = [describe(before), describe(after)];
  return Object.keys(then).flatMap((field): Change[] => {
    const [old, current] = [then[field] ?? [], now[field] ?? []];
    return same(old, current) ? [] : [{ field, before: toLines(old), after: toLines(current) }];
  });
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

function toLines(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split("\n"));
}

/** A revision's reviewed properties, each as a list of texts, in the order in which a person wants to read them. */
function describe(revision: LockedRevision): Record<string, readonly string[]> {
  const { tables } = revision;
  return {
    downRevisions: revision.downRevisions,
    dependsOn: revision.dependsOn,
    branchLabels: revision.branchLabels,
    title: [revision.title],
    date: [revision.date ?? "null"],
    file: [revision.file],
    sha256: [revision.sha256],
    "upgrade.sql": describeSql(revision.upgrade),
    "downgrade.sql": describeSql(revision.downgrade),
    "tables.created": tables?.created ?? ["unknown"],
    "tables.altered": tables?.altered ?? ["unknown"],
    "tables.dropped": tables?.dropped ?? ["unknown"],
    "tables.unclassified": tables?.unclassified.map(String) ?? ["unknown"],
    reversible: [`${revision.reversible}`],
    reversibleReason: [revision.reversibleReason ?? "null"],
    findings: revision.findings.map(describeFinding),
    locks: revision.locks.map(describeLock),
  };
}

function describeSql(direction: LockedSql): readonly string[] {
  if (direction.sql === null) return [`can't be rendered: ${direction.reason}`];
  return direction.sql;
}

function describeFinding({ level, rule, statement, message, help }: Finding): string {
  return `${level} ${rule}, ${statement === null ? "the revision" : `statement ${statement + 1}`}: ${message} ${help ?? ""}`;
}

function describeLock(lock: StatementLock): string {
  const statement = lock.statement + 1;
  return lock.mode === null
    ? `statement ${statement}: not known, ${lock.reason}`
    : `statement ${statement}: ${lock.mode} on ${lock.table}, blocks ${lock.blocks}`;
}
