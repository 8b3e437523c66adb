import type { Lock } from "./lock.ts";

/** What the order of a chain depends on. */
export interface ChainLink {
  readonly id: string;
  readonly downRevisions: readonly string[];
  readonly dependsOn: readonly string[];
}

/** @returns Ids of the revisions that `link` comes after: its down revisions and those it depends on. */
function predecessors(link: ChainLink): string[] {
  return [...new Set([...link.downRevisions, ...link.dependsOn])];
}

/** @returns A sentence for each duplicate id, reference to an unknown revision, and cycle. */
export function chainErrors(links: readonly ChainLink[]): string[] {
  const ids = new Set<string>();
  const errors: string[] = [];
  for (const { id } of links) {
    if (ids.has(id)) errors.push(`revision ${id} is there more than once`);
    ids.add(id);
  }
  for (const link of links) {
    for (const id of predecessors(link).filter((id) => !ids.has(id))) {
      errors.push(`revision ${link.id} comes after ${id}, which is not in the chain`);
    }
  }
  if (errors.length > 0) return errors;
  const ordered = new Set(chainOrder(links).map(({ id }) => id));
  const rest = links.filter(({ id }) => !ordered.has(id)).map(({ id }) => id);
  return rest.length > 0 ? [`a cycle holds these revisions back: ${rest.join(", ")}`] : [];
}

/**
 * Sorts a chain from its bases to its heads. Of the revisions that could come next, the one with the smallest id does,
 * so that the order of branches doesn't depend on the order of `links`. Revisions on a cycle, and after one, are left
 * out: {@link chainErrors} names them.
 */
export function chainOrder<Link extends ChainLink>(links: readonly Link[]): Link[] {
  const byId = new Map(links.map((link) => [link.id, link]));
  const waitingFor = new Map(links.map((link) => [link.id, predecessors(link).length]));
  const followers = new Map<string, Link[]>(links.map(({ id }) => [id, []]));
  for (const link of links) for (const id of predecessors(link)) followers.get(id)?.push(link);

  const ready = [...byId.values()].filter(({ id }) => waitingFor.get(id) === 0).sort(descendingById);
  const ordered: Link[] = [];
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    ordered.push(next);
    const freed = (followers.get(next.id) ?? []).filter(({ id }) => {
      waitingFor.set(id, (waitingFor.get(id) ?? 0) - 1);
      return waitingFor.get(id) === 0;
    });
    if (freed.length > 0) ready.push(...freed);
    if (freed.length > 0 && ready.length > 1) ready.sort(descendingById);
  }
  return ordered;
}

function descendingById(a: ChainLink, b: ChainLink): number {
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

/** @returns Ids that no other revision names as its down revision, sorted, as `alembic heads` counts them. */
export function chainHeads(links: readonly ChainLink[]): string[] {
  const followed = new Set(links.flatMap(({ downRevisions }) => downRevisions));
  return links
    .map(({ id }) => id)
    .filter((id) => !followed.has(id))
    .sort();
}

/** @returns Ids without a down revision, sorted. */
export function chainBases(links: readonly ChainLink[]): string[] {
  return links
    .filter(({ downRevisions }) => downRevisions.length === 0)
    .map(({ id }) => id)
    .sort();
}

/**
 * @param ids Revisions of the chain, such as the rows of `alembic_version`.
 * @returns `ids` and every revision that they come after: what a database at `ids` has.
 * @throws {Error} If one of `ids` is not in the chain.
 */
export function applied(links: readonly ChainLink[], ids: readonly string[]): Set<string> {
  const byId = new Map(links.map((link) => [link.id, link]));
  const found = new Set<string>();
  const stack = [...ids];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (found.has(id)) continue;
    const link = byId.get(id);
    if (link === undefined) throw new Error(`Revision ${id} is not in the chain of ${links.length} revisions.`);
    found.add(id);
    stack.push(...predecessors(link));
  }
  return found;
}

/**
 * @param current Revisions that `alembic_version` holds; none for a database that was never migrated.
 * @param target Revisions to reach.
 * @returns What `alembic upgrade` has to apply, in an order that works.
 * @throws {Error} If one of `current` or `target` is not in the chain.
 */
export function pending(
  lock: Lock,
  current: readonly string[],
  target: readonly string[] = lock.heads,
): Lock["revisions"] {
  const done = applied(lock.revisions, current);
  const wanted = applied(lock.revisions, target);
  return lock.revisions.filter(({ id }) => wanted.has(id) && !done.has(id));
}
