import { createHash } from "node:crypto";
import {
  alembicOptions,
  allReviewedFiles,
  type FileHashes,
  type Lock,
  type LockedRevision,
  reviewedFiles,
} from "../lockfile/lock.ts";

/** Hex digits of a hash that people compare: 64 bits. */
const hashLength = 16;

/**
 * Version of what a plan's hash covers. Hashes of version 1 had no prefix, and covered neither direction nor files; those of
 * version 2 covered no files but those of revisions, those of version 3 no files of revisions that the plan doesn't contain,
 * which Alembic loads, too.
 */
const hashVersion = 4;
const hashPrefix = `v${hashVersion}-`;

/** Pattern of a plan's hash of any version, without anchors. */
export const planHashPattern = `(v\\d+-)?[0-9a-f]{${hashLength}}`;

/** Whether a plan's hash is of another version, and thus of no plan of this program. */
export function isOfOtherVersion(planHash: string): boolean {
  return !planHash.startsWith(hashPrefix);
}

/** Whether revisions are applied or downgraded. */
export type Direction = "upgrade" | "downgrade";

/** The properties of a revision that determine its hash. */
export type HashedRevision = Pick<LockedRevision, "id" | "file" | "sha256" | "files" | Direction>;

/** The properties of a plan that determine its hash, besides its revisions. */
export interface PlanStart {
  /** The image reference in the pod spec. */
  readonly image: string;
  readonly direction: Direction;
  /** Rows of the version table, in any order. */
  readonly from: readonly string[];
  /** The lockfile, for how Alembic is called, and for all reviewed files. */
  readonly lock: Pick<Lock, "alembic" | "files" | "revisions">;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, hashLength);
}

/** Returns a hash of a revision's SQL in one direction, or of its file if the SQL can't be rendered. */
export function sqlHash(revision: Pick<HashedRevision, "sha256" | Direction>, direction: Direction): string {
  const { sql } = revision[direction];
  return hash(sql === null ? revision.sha256 : JSON.stringify(sql));
}

/**
 * Returns a plan's identity: it depends on all that a migration executes, which is the image, the direction, the
 * database's revision, the options of Alembic, all reviewed files, and the SQL of each revision in that direction. The runner
 * (`src/runner/runner_plan.py`) computes it again from what it finds.
 *
 * @param revisions - The revisions to apply or downgrade, in that order.
 */
export function planHash({ image, direction, from, lock }: PlanStart, revisions: readonly HashedRevision[]): string {
  const steps = revisions.map((revision) => ({
    id: revision.id,
    sql: sqlHash(revision, direction),
    files: sorted(reviewedFiles(revision)),
  }));
  const [start, files] = [[...from].sort(byCodePoint), sorted(allReviewedFiles(lock))];
  const alembic = alembicOptions(lock);
  const plan = { version: hashVersion, image, direction, from: start, files, revisions: steps, alembic };
  return `${hashPrefix}${hash(JSON.stringify(plan))}`;
}

function sorted(files: FileHashes): readonly (readonly [path: string, sha256: string])[] {
  return Object.entries(files).sort(([a], [b]) => byCodePoint(a, b));
}

/** Compares texts as Python does, by code point. JavaScript's own order differs beyond U+FFFF. */
function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
