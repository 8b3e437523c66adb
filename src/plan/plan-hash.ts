import { createHash } from "node:crypto";
import type { LockedRevision } from "../lockfile/lock.ts";

/** Hex digits of a hash that people compare by eye: 64 bits. */
const hashLength = 16;

/** What decides on a revision's hash. */
export type HashedRevision = Pick<LockedRevision, "id" | "sha256" | "upgrade">;

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, hashLength);
}

/** @returns 16 hex digits that tell a revision's SQL apart; its file's, where the SQL can't be rendered. */
export function sqlHash({ sha256, upgrade }: Omit<HashedRevision, "id">): string {
  return hash(upgrade.sql === null ? sha256 : JSON.stringify(upgrade.sql));
}

/**
 * The plan's identity: what an image does to a database that is where it was when the plan was made. The runner
 * (`runner/runner_plan_hash.py`) computes it from what it finds, and keeps it in its run record.
 *
 * @param image The image's reference, as the pod has it.
 * @param from Rows of `alembic_version`, in any order.
 * @param pending What is to be applied, in that order.
 * @returns 16 hex digits.
 */
export function planHash(image: string, from: readonly string[], pending: readonly HashedRevision[]): string {
  const steps = pending.map((revision) => [revision.id, sqlHash(revision)]);
  return hash(JSON.stringify({ image, from: [...from].sort(byCodePoint), pending: steps }));
}

/** Python's order of texts, which is also that of their UTF-8; JavaScript's own differs beyond U+FFFF. */
function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
