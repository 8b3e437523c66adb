import type { FileHashes, Finding, Lock, LockedRevision, LockedSql } from "./lock.ts";
import type { StatementLock } from "./statement-lock.ts";

/** Properties that are derived from a revision and may change with the linter's version, or that only add to the review. */
const derived: ReadonlySet<string> = new Set(["findings", "locks", "rollbackBlocker", "addedFiles"]);

/** A property that differs, each side as lines of text. */
export interface Change {
  readonly field: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** A difference between the reviewed lockfile and the chain that Alembic reports now. */
export interface Difference {
  /** `order`: the same revisions in a different order; `chain`: files that belong to no single revision, or SQL of env.py. */
  readonly kind: "added" | "removed" | "changed" | "order" | "chain";
  /** Ids; exactly one unless `kind` is `order` or, without any, `chain`. */
  readonly revisions: readonly string[];
  /** The revision file, relative to the backend's folder. */
  readonly file: string | null;
  readonly changes: readonly Change[];
}

/** Compares two lockfiles: returns the differences of recorded revisions first, then the added revisions. */
export function compareLocks(before: Lock, after: Lock): Difference[] {
  const now = new Map(after.revisions.map((revision) => [revision.id, revision]));
  const then = new Set(before.revisions.map(({ id }) => id));
  const differences: Difference[] = [];
  for (const revision of before.revisions) {
    const { id, file } = revision;
    const other = now.get(id);
    if (other === undefined) {
      differences.push({ kind: "removed", revisions: [id], file, changes: [] });
      continue;
    }
    const changes = compareRevisions(revision, other);
    if (changes.length > 0) differences.push({ kind: "changed", revisions: [id], file: other.file, changes });
  }
  const changes = compareFields(describeChain(before), describeChain(after));
  if (changes.length > 0) differences.push({ kind: "chain", revisions: [], file: null, changes });
  const reordered = compareOrder(before, after);
  if (reordered !== null) differences.push(reordered);
  for (const { id, file } of after.revisions) {
    if (!then.has(id)) differences.push({ kind: "added", revisions: [id], file, changes: [] });
  }
  return differences;
}

/**
 * Returns the differences that `pulumi-alembic lock` writes only with `--rewrite`: removed revisions, and changes of anything but
 * what is derived from the SQL.
 *
 * @param allowed - Revisions that may be removed or changed.
 */
export function rejectedDifferences(differences: readonly Difference[], allowed: ReadonlySet<string>): Difference[] {
  return differences.filter(({ kind, revisions, changes }) => {
    if (revisions.every((revision) => allowed.has(revision))) return false;
    return kind === "removed" || (kind === "changed" && changes.some(({ field }) => !derived.has(field)));
  });
}

function compareOrder(before: Lock, after: Lock): Difference | null {
  const then = before.revisions.map(({ id }) => id);
  const now = after.revisions.map(({ id }) => id);
  const inThen = new Set(then);
  const inNow = new Set(now);
  const common = then.filter((id) => inNow.has(id));
  const commonNow = now.filter((id) => inThen.has(id));
  if (same(common, commonNow)) return null;
  const moved = common.filter((id, index) => id !== commonNow[index]);
  return {
    kind: "order",
    revisions: moved,
    file: null,
    changes: [{ field: "order", before: common, after: commonNow }],
  };
}

function compareRevisions(before: LockedRevision, after: LockedRevision): Change[] {
  return compareFields(describe(before, before.files), describe(after, before.files));
}

function compareFields(before: Fields, now: Fields): Change[] {
  const changes: Change[] = [];
  for (const [field, old] of Object.entries(before)) {
    const current = now[field] ?? [];
    if (!same(old, current)) changes.push({ field, before: toLines(old), after: toLines(current) });
  }
  return changes;
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

function toLines(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split("\n"));
}

/** Properties as lists of texts, in reading order. */
type Fields = Readonly<Record<string, readonly string[]>>;

/** Returns the properties of a lockfile that belong to no single revision. */
function describeChain({ files, env }: Lock): Fields {
  return { files: describeFiles(files), "env.sql": describeSql(env) };
}

/**
 * Returns a revision's reviewed properties.
 *
 * @param known - Files that were reviewed.
 */
function describe(revision: LockedRevision, known: FileHashes): Fields {
  const { tables } = revision;
  return {
    downRevisions: revision.downRevisions,
    dependsOn: revision.dependsOn,
    branchLabels: revision.branchLabels,
    title: [revision.title],
    date: [revision.date ?? "null"],
    file: [revision.file],
    sha256: [revision.sha256],
    files: describeFiles(revision.files, (path) => path in known),
    addedFiles: describeFiles(revision.files, (path) => !(path in known)),
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
    rollbackBlocker: [revision.rollbackBlocker ?? "null"],
  };
}

function describeFiles(files: FileHashes, includes: (path: string) => boolean = () => true): readonly string[] {
  const shown = Object.entries(files).filter(([path]) => includes(path));
  return shown.map(([path, sha256]) => `${path} ${sha256}`);
}

function describeSql(direction: LockedSql): readonly string[] {
  return direction.sql ?? [`unknown: ${direction.reason}`];
}

function describeFinding({ level, rule, statement, message, help }: Finding): string {
  const subject = statement === null ? "revision" : `statement ${statement + 1}`;
  return `${level} ${rule}, ${subject}: ${message} ${help ?? ""}`;
}

function describeLock(lock: StatementLock): string {
  const statement = lock.statement + 1;
  return lock.mode === null
    ? `statement ${statement}: locks unknown: ${lock.reason}`
    : `statement ${statement}: ${lock.mode} on ${lock.table}, blocks ${lock.blocks}`;
}
