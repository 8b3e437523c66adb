import type { Lock, LockedRevision } from "./lock.ts";

/** The properties of a revision that determine its place in the chain. */
export interface ChainLink {
  readonly id: string;
  readonly downRevisions: readonly string[];
  readonly dependsOn: readonly string[];
}

/** Returns the revisions that `link` follows: its down revisions and its dependencies. */
export function predecessors(link: ChainLink): string[] {
  return [...new Set([...link.downRevisions, ...link.dependsOn])];
}

/** Returns a message for each duplicate id, each reference to an unknown revision, and each cycle. */
export function chainErrors(links: readonly ChainLink[]): string[] {
  const ids = new Set<string>();
  const errors: string[] = [];
  for (const { id } of links) {
    if (ids.has(id)) errors.push(`duplicate revision ${id}`);
    ids.add(id);
  }
  for (const link of links) {
    for (const id of predecessors(link)) {
      if (!ids.has(id)) errors.push(`revision ${link.id} follows unknown revision ${id}`);
    }
  }
  if (errors.length > 0) return errors;
  const ordered = new Set(chainOrder(links).map(({ id }) => id));
  const rest = links.map(({ id }) => id).filter((id) => !ordered.has(id));
  return rest.length > 0 ? [`revisions in a cycle or after one: ${rest.join(", ")}`] : [];
}

/**
 * Sorts a chain from its bases to its heads. Of the revisions that can come next, the one with the smallest id does, so
 * that the result doesn't depend on the order of `links`. Revisions on a cycle, and those that follow one, are omitted:
 * {@link chainErrors} names them.
 */
export function chainOrder<Link extends ChainLink>(links: readonly Link[]): Link[] {
  const byId = new Map(links.map((link) => [link.id, link]));
  const waitingFor = new Map(links.map((link) => [link.id, predecessors(link).length]));
  const followers = new Map<string, Link[]>(links.map(({ id }) => [id, []]));
  for (const link of links) {
    for (const id of predecessors(link)) followers.get(id)?.push(link);
  }

  const ready = [...byId.values()].filter(({ id }) => waitingFor.get(id) === 0).sort(descendingById);
  const ordered: Link[] = [];
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    ordered.push(next);
    let isSorted = true;
    for (const follower of followers.get(next.id) ?? []) {
      const left = (waitingFor.get(follower.id) ?? 0) - 1;
      waitingFor.set(follower.id, left);
      if (left > 0) continue;
      ready.push(follower);
      isSorted = false;
    }
    if (!isSorted && ready.length > 1) ready.sort(descendingById);
  }
  return ordered;
}

function descendingById(a: ChainLink, b: ChainLink): number {
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

/** Returns the revisions that no other one has as its down revision, sorted, as `alembic heads` does. */
export function chainHeads(links: readonly ChainLink[]): string[] {
  const followed = new Set(links.flatMap(({ downRevisions }) => downRevisions));
  return links
    .map(({ id }) => id)
    .filter((id) => !followed.has(id))
    .sort();
}

/** Returns the revisions without a down revision, sorted. */
export function chainBases(links: readonly ChainLink[]): string[] {
  return links
    .filter(({ downRevisions }) => downRevisions.length === 0)
    .map(({ id }) => id)
    .sort();
}

/**
 * Returns `ids` and every revision that they follow: the content of a database at `ids`.
 *
 * @param ids - Revisions of the chain, such as the rows of the version table.
 * @throws {Error} If the chain lacks one of `ids`.
 */
export function applied(links: readonly ChainLink[], ids: readonly string[]): Set<string> {
  const byId = new Map(links.map((link) => [link.id, link]));
  const found = new Set<string>();
  const stack = [...ids];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (found.has(id)) continue;
    const link = byId.get(id);
    if (link === undefined) throw new Error(`unknown revision ${id}: not in the chain of ${links.length} revisions`);
    found.add(id);
    stack.push(...predecessors(link));
  }
  return found;
}

/**
 * Returns the revisions that `alembic upgrade` has to apply, in a valid order.
 *
 * @param current - Rows of the version table; none for an uninitialized database.
 * @param target - Revisions to reach.
 * @throws {Error} If the chain lacks one of `current` or `target`.
 */
export function pending(
  lock: Lock,
  current: readonly string[],
  target: readonly string[] = lock.heads,
): readonly LockedRevision[] {
  const done = applied(lock.revisions, current);
  const wanted = applied(lock.revisions, target);
  return lock.revisions.filter(({ id }) => wanted.has(id) && !done.has(id));
}

/**
 * Returns the revisions that a database has beyond `target`, in the order in which `alembic downgrade` undoes them.
 *
 * @param current - Rows of the version table.
 * @throws {Error} If the chain lacks one of `current`, or `target`.
 */
export function beyond(lock: Lock, current: readonly string[], target: string): readonly LockedRevision[] {
  const wanted = applied(lock.revisions, [target]);
  const present = applied(lock.revisions, current);
  return lock.revisions.filter(({ id }) => present.has(id) && !wanted.has(id)).reverse();
}

/**
 * Cuts a chain at a revision: the chain of a release that ends there, whose env.py and modules are not known.
 *
 * @throws {Error} If the lockfile lacks the target.
 */
export function cutAt(lock: Lock, target: string): Lock {
  if (!lock.revisions.some(({ id }) => id === target)) {
    const known = lock.revisions.map(({ id }) => id).join(", ");
    throw new Error(`unknown target revision ${target}: the lockfile contains ${known}`);
  }
  if (lock.heads.length === 1 && lock.heads[0] === target) return lock;
  const kept = applied(lock.revisions, [target]);
  const revisions = lock.revisions.filter(({ id }) => kept.has(id));
  return { ...lock, files: {}, revisions, heads: [target], bases: chainBases(revisions) };
}

/**
 * Returns the names of the tables that exist at the head for certain, sorted. A table is omitted if only a statement
 * written as text, or a revision that can't be rendered, creates it, or if a later statement written as text names it,
 * because that may drop or rename it.
 */
export function chainTables(lock: Lock): string[] {
  const tables = new Set<string>();
  for (const revision of lock.revisions) {
    for (const name of revision.tables?.dropped ?? []) tables.delete(name);
    for (const statement of textStatements(revision)) {
      for (const name of tables) if (names(statement, name)) tables.delete(name);
    }
    for (const name of revision.tables?.created ?? []) tables.add(name);
  }
  return [...tables].sort();
}

/** Returns the statements of an upgrade that were written as text. */
function textStatements({ upgrade, tables }: LockedRevision): string[] {
  return (tables?.unclassified ?? []).flatMap((index) => upgrade.sql?.[index] ?? []);
}

/** Whether a statement contains the name of a table, whatever it does to it. */
function names(statement: string, table: string): boolean {
  const name = table.slice(table.lastIndexOf(".") + 1);
  return statement.split(/[^\p{L}\p{N}_$]+/u).includes(name);
}
