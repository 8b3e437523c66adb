import { createHash } from "node:crypto";
import type { LockedRevision } from "../lockfile/lock.ts";

/** Hex digits of a hash that people compare: 64 bits. */
const hashLength = 16;

/** The properties of a revision that determine its hash. */
export type HashedRevision = Pick<LockedRevision, "id" | "sha256" | "upgrade">;

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, hashLength);
}

/** Returns a hash of a revision's SQL, or of its file if the SQL can't be rendered. */
export function sqlHash({ sha256, upgrade }: Omit<HashedRevision, "id">): string {
  return hash(upgrade.sql === null ? sha256 : JSON.stringify(upgrade.sql));
}

/**
 * Returns a plan's identity: 16 hex digits that depend on the image, the database revision, and the pending SQL. The
 * runner (`src/runner/runner_plan.py`) computes it again from what it finds, and records it.
 *
 * @param image - The image reference in the pod spec.
 * @param from - Rows of `alembic_version`, in any order.
 * @param pending - The revisions to apply, in that order.
 */
export function planHash(image: string, from: readonly string[], pending: readonly HashedRevision[]): string {
  const steps = pending.map((revision) => [revision.id, sqlHash(revision)]);
  return hash(JSON.stringify({ image, from: [...from].sort(byCodePoint), pending: steps }));
}

/** Compares texts as Python does, by code point. JavaScript's own order differs beyond U+FFFF. */
function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
