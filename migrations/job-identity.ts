import { createHash } from "node:crypto";

/** Hex digits of a content hash in a name: 40 bits, far more than the objects of one namespace need. */
const hashLength = 10;

/** `value` as JSON with every object's keys sorted, so that equal content is equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    field !== null && typeof field === "object" && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : field,
  );
}

/** @returns The first digits of the SHA-256 of `value`'s JSON; the order of keys does not matter. */
export function contentHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, hashLength);
}

/**
 * The migrate Job's name: a function of all that it will do, so that equal work is the same Job and changed work is a
 * new one beside it. Kubernetes can't change a Job's template in place, and re-creating one under its old name can
 * leave it without pods (kubernetes/kubernetes#142142).
 *
 * @param prefix Name without the hash, at most 52 characters: a Job's name is a label of its pods (63).
 * @param chainDigest Digest of the chain, of the lock.
 * @param spec The Job's whole spec: image, runner and every immutable field among it; no secret.
 */
export function migrationJobName(prefix: string, chainDigest: string, spec: unknown): string {
  return `${prefix}-${contentHash({ chainDigest, spec })}`;
}
