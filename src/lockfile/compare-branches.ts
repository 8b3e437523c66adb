import { chainHeads } from "./chain.ts";
import { compareLocks, type Difference, rejectedDifferences } from "./compare-locks.ts";
import type { Lock, LockedRevision } from "./lock.ts";

/** Lockfiles of two branches and of the commit at which they parted. */
export interface Branches {
  readonly base: Lock;
  /** `null` if that commit is unknown: then the base counts as it. */
  readonly mergeBase: Lock | null;
  readonly own: Lock;
}

/** Two branches that add revisions, after whose merge the chain has several heads. */
export interface Collision {
  /** Revisions that only the base adds. */
  readonly incoming: readonly LockedRevision[];
  /** The first revisions that only this branch adds: those on a revision that the base has, too. */
  readonly roots: readonly LockedRevision[];
}

/** This branch, compared with its base. */
export interface BranchComparison {
  /** Revisions that the base lacks. */
  readonly added: readonly LockedRevision[];
  /** Revisions of the base that this branch has changed or removed. */
  readonly rewritten: readonly Difference[];
  readonly collision: Collision | null;
}

/** Compares a branch with its base. Changes that only the base has made since they parted are omitted. */
export function compareBranches({ base, mergeBase, own }: Branches): BranchComparison {
  const parted = mergeBase ?? base;
  const changedSince = idsOf(rejectedDifferences(compareLocks(parted, own), new Set()));
  const known = new Set(parted.revisions.map(({ id }) => id));
  const rewritten = rejectedDifferences(compareLocks(base, own), new Set()).filter(({ kind, revisions }) =>
    revisions.every((id) => (known.has(id) ? changedSince.has(id) : kind === "changed")),
  );
  const inBase = new Set(base.revisions.map(({ id }) => id));
  const added = own.revisions.filter(({ id }) => !inBase.has(id) && !known.has(id));
  return { added, rewritten, collision: collisionOf(base, own, added, known) };
}

function collisionOf(
  base: Lock,
  own: Lock,
  added: readonly LockedRevision[],
  known: ReadonlySet<string>,
): Collision | null {
  const present = new Set(own.revisions.map(({ id }) => id));
  const incoming = base.revisions.filter(({ id }) => !present.has(id) && !known.has(id));
  const roots = added.filter(({ downRevisions }) => !added.some(({ id }) => downRevisions.includes(id)));
  const merged = chainHeads([...base.revisions, ...added]);
  const collides = incoming.length > 0 && added.length > 0 && merged.length > Math.max(1, base.heads.length);
  return collides ? { incoming, roots } : null;
}

function idsOf(differences: readonly Difference[]): ReadonlySet<string> {
  return new Set(differences.flatMap(({ revisions }) => revisions));
}
