import type { CheckResults } from "../checks/result.ts";
import { type Lock, lockDigest } from "../lockfile/lock.ts";
import { digestOf, nameOf, withDigest } from "../manifests/image-reference.ts";
import { contentHash } from "../plan/job-identity.ts";
import { sqlHash } from "../plan/plan-hash.ts";
import { cutAt } from "../plan/target.ts";

/** What a release is, wherever it is deployed: nothing of a database's place, of a cluster or of a time is in it. */
export interface ReleaseIdentity {
  /** Revision that the database is at in the end. */
  readonly head: string;
  /** Digest of the chain as far as {@link head}: ids, order and files. */
  readonly chain: string;
  /** Digest of the SQL of each of its revisions. */
  readonly sql: string;
  /** Digest of the program that runs the chain. */
  readonly runner: string;
  /** Digest of the backend's image, `sha256:…`; `null` if it is known by a tag only. */
  readonly image: string | null;
  /** Digest of the image that migrates: mostly the backend's. */
  readonly migrationImage: string | null;
}

/** What a stack records of a release once it is migrated, rolled out and checked. */
export interface ReleaseRecord extends ReleaseIdentity {
  readonly version: typeof recordVersion;
  /** What the stack is for. */
  readonly environment: string;
  /** How many checks passed. */
  readonly checks: number;
  /** Names of both images, without tag and digest: where they were pulled from. */
  readonly imageName: string;
  readonly migrationImageName: string;
}

/** Version of the record's form. */
const recordVersion = 1;

/** Releases that a stack keeps the record of: those that another may still be brought to, or back to. */
const keptReleases = 20;

/** What decides on a release's identity. */
export interface ReleaseParts {
  readonly lock: Lock;
  readonly head: string;
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
  readonly image: string;
  /** @default `image` */
  readonly migrationImage: string | undefined;
}

/** @returns A release's identity, as far as it is known before it runs. */
export function identify({ lock, head, runnerFiles, image, migrationImage }: ReleaseParts): ReleaseIdentity {
  const chain = cutAt(lock, head);
  return {
    head,
    chain: lockDigest(chain),
    sql: contentHash(chain.revisions.map((revision) => [revision.id, sqlHash(revision)])),
    runner: contentHash(runnerFiles),
    image: digestOf(image) ?? null,
    migrationImage: digestOf(migrationImage ?? image) ?? null,
  };
}

/** @returns The record of a release whose checks have passed; an image known by a tag has the digest that its pods run. */
export function recordRelease(parts: ReleaseParts, environment: string, results: CheckResults): ReleaseRecord {
  const digest = digestOf(parts.image) ?? results.pods.image;
  const image = digest === undefined ? parts.image : withDigest(parts.image, digest);
  const checks = Object.values(results).filter(({ passed }) => passed).length;
  return {
    version: recordVersion,
    environment,
    ...identify({ ...parts, image }),
    checks,
    imageName: nameOf(image),
    migrationImageName: nameOf(parts.migrationImage ?? image),
  };
}

/** @returns The records with a new one: the newest first, each release once. */
export function addRecord(records: readonly ReleaseRecord[], record: ReleaseRecord): readonly ReleaseRecord[] {
  return [record, ...records.filter((known) => !isSame(known, record))].slice(0, keptReleases);
}

/** The parts of a release that lie in a checkout, and the images that were built from it. */
const identityKeys = { checkout: ["head", "chain", "sql", "runner"], images: ["image", "migrationImage"] } as const;

/** Whether two releases are one. */
export function isSame(one: ReleaseIdentity, other: ReleaseIdentity): boolean {
  return isSameCheckout(one, other) && identityKeys.images.every((key) => one[key] === other[key]);
}

/** Whether two releases are one, but for their images. */
export function isSameCheckout(one: ReleaseIdentity, other: ReleaseIdentity): boolean {
  return identityKeys.checkout.every((key) => one[key] === other[key]);
}

/** @returns What of a stack's output `releases` is a record of this version. */
export function parseRecords(output: unknown): readonly ReleaseRecord[] {
  return Array.isArray(output) ? output.filter(isRecord) : [];
}

function isRecord(value: unknown): value is ReleaseRecord {
  if (typeof value !== "object" || value === null) return false;
  const { version, environment, checks, image, migrationImage, ...rest } = value as Partial<ReleaseRecord>;
  const { head, chain, sql, runner, imageName, migrationImageName } = rest;
  const texts = [environment, head, chain, sql, runner, imageName, migrationImageName];
  const images = [image, migrationImage];
  return (
    version === recordVersion &&
    typeof checks === "number" &&
    texts.every((text) => typeof text === "string") &&
    images.every((digest) => digest === null || typeof digest === "string")
  );
}
