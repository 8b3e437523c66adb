import { applied, chainBases } from "../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../lockfile/lock.ts";

/**
 * Cuts a chain at a revision: what a release that ends there has.
 *
 * @param target A revision of the lock.
 * @throws {Error} If it is none, with what there is.
 */
export function cutAt(lock: Lock, target: string): Lock {
  if (!lock.revisions.some(({ id }) => id === target)) {
    const known = lock.revisions.map(({ id }) => id).join(", ");
    throw new Error(`The target revision ${target} is not in the lock. Its revisions: ${known}.`);
  }
  if (lock.heads.length === 1 && lock.heads[0] === target) return lock;
  const kept = applied(lock.revisions, [target]);
  const revisions = lock.revisions.filter(({ id }) => kept.has(id));
  return { ...lock, revisions, heads: [target], bases: chainBases(revisions) };
}

/**
 * @param current Revisions that `alembic_version` holds, all of the lock.
 * @param target A revision of the lock.
 * @returns What the database has beyond `target`, in the order in which a downgrade undoes it.
 */
export function beyond(lock: Lock, current: readonly string[], target: string): readonly LockedRevision[] {
  const wanted = applied(lock.revisions, [target]);
  const present = applied(lock.revisions, current);
  return lock.revisions.filter(({ id }) => present.has(id) && !wanted.has(id)).reverse();
}
