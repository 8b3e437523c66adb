import { createHash } from "node:crypto";
import type { LockedRevision } from "./lock.ts";

/** Hex digits of a plan's hash: 64 bits, since a person compares it with the one that was reviewed. */
const hashLength = 16;

/** What a revision does, as far as it is known: its SQL, else its file. */
type Work = Pick<LockedRevision, "id" | "upgrade" | "sha256">;

function hash(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, hashLength);
}

/** @returns The hash of a revision's upgrade SQL; of its file's SHA-256 where the SQL isn't known. */
export function sqlHash({ upgrade, sha256 }: Pick<Work, "upgrade" | "sha256">): string {
  return hash(upgrade.sql === null ? sha256 : JSON.stringify(upgrade.sql));
}

/**
 * The identity of what an update does to the database: equal hashes are the same image, the same start and the same SQL.
 * The runner computes it from what it finds, in the same way.
 *
 * @param from Rows of `alembic_version`; none where there is no such table, or nothing is deployed.
 * @param pending In the order in which they are applied.
 */
export function planHash(image: string, from: readonly string[], pending: readonly Work[]): string {
  const work = pending.map((revision) => [revision.id, sqlHash(revision)]);
  return hash(JSON.stringify({ image, from: [...from].sort(), pending: work }));
}
