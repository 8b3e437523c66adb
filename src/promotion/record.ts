import type { CheckName } from "../checks/names.ts";
import type { CheckResults, DeclaredRelease } from "../checks/result.ts";
import { cutAt } from "../lockfile/chain.ts";
import { type Lock, lockDigest } from "../lockfile/lock.ts";
import { anyText, fits, index, isRecord, literal, nullable, object } from "../lockfile/shape.ts";
import { digestOf, nameOf, withDigest } from "../manifests/image-reference.ts";
import { contentHash } from "../plan/job-identity.ts";
import { sqlHash } from "../plan/plan-hash.ts";

/** The identity of a release, independent of the database, the cluster, and the time of its deployment. */
export interface ReleaseIdentity {
  /** Revision of the database after the deployment. */
  readonly head: string;
  /** Digest of the chain up to {@link head}: ids, order, and files. */
  readonly chain: string;
  /** Digest of the SQL of each of its revisions. */
  readonly sql: string;
  /** Digest of the runner. */
  readonly runner: string;
  /** Digest of the backend's image, `sha256:…`; `null` if unknown. */
  readonly image: string | null;
  /** Digest of the migration's image, usually the backend's; `null` if unknown. */
  readonly migrationImage: string | null;
}

/** A stack's record of a release that was migrated, rolled out, and verified. */
export interface ReleaseRecord extends ReleaseIdentity {
  readonly version: typeof recordVersion;
  /** The stack's environment. */
  readonly environment: string;
  /** Number of checks that passed. */
  readonly checks: number;
  /** Repositories of both images: their names without tag and digest. */
  readonly imageName: string;
  readonly migrationImageName: string;
}

/** Version of the record format. Records of version 1 may name a release that never ran. */
const recordVersion = 2;

/** Maximum number of records in a stack's outputs. */
const keptReleases = 20;

/** The parts of a release that determine its identity. */
export interface ReleaseParts {
  readonly lock: Lock;
  readonly head: string;
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
  readonly image: string;
  /** @defaultValue `image` */
  readonly migrationImage: string | undefined;
}

/** Returns the parts of a release's identity that a checkout determines. */
function identifyCheckout({ lock, head, runnerFiles }: Pick<ReleaseParts, "lock" | "head" | "runnerFiles">) {
  const chain = cutAt(lock, head);
  return {
    head,
    chain: lockDigest(chain),
    sql: contentHash(chain.revisions.map((revision) => [revision.id, sqlHash(revision, "upgrade")])),
    runner: contentHash(runnerFiles),
  };
}

/** Returns a release's identity, as far as it is known before the deployment. */
export function identify(
  parts: Pick<ReleaseParts, "lock" | "head" | "runnerFiles"> & {
    image: string | undefined;
    migrationImage?: string | undefined;
  },
): ReleaseIdentity {
  const { image = "", migrationImage = image } = parts;
  return {
    ...identifyCheckout(parts),
    image: digestOf(image) ?? null,
    migrationImage: digestOf(migrationImage) ?? null,
  };
}

/**
 * Returns the release that a stack declares, which its checks verify and return.
 *
 * @param migration - Names of the Job and of the ConfigMap with the runner.
 */
export function declareRelease(
  parts: ReleaseParts & Pick<DeclaredRelease, "environment">,
  { jobName, configMapName }: Pick<DeclaredRelease, "jobName" | "configMapName">,
): DeclaredRelease {
  const { environment, image, migrationImage = image } = parts;
  return { environment, ...identifyCheckout(parts), image, migrationImage, jobName, configMapName };
}

/** Checks that compare the cluster with the release: its Job is complete, and the pods run its image and runner. */
const provingChecks: readonly CheckName[] = ["revision", "pods"];

/**
 * Adds the record of the release that the checks have verified. If an update doesn't run them, they return the release of
 * their last run, whose record exists. Without the checks that compare the cluster with it, it may never have run.
 *
 * @param release - `undefined` if the checks have never run.
 */
export function recordVerified(
  records: readonly ReleaseRecord[],
  release: DeclaredRelease | undefined,
  results: CheckResults | undefined,
): readonly ReleaseRecord[] {
  if (release === undefined || results === undefined) return records;
  if (!provingChecks.every((name) => results[name]?.passed)) return records;
  return addRecord(records, recordRelease(release, results));
}

/** Records a release whose checks passed. The digest of an image that is not pinned is that of its pods. */
export function recordRelease(release: DeclaredRelease, results: CheckResults): ReleaseRecord {
  const { environment, head, chain, sql, runner } = release;
  const digest = digestOf(release.image) ?? results.pods?.image;
  const image = digest === undefined ? release.image : withDigest(release.image, digest);
  const migrationImage = release.migrationImage === release.image ? image : release.migrationImage;
  return {
    version: recordVersion,
    environment,
    head,
    chain,
    sql,
    runner,
    image: digestOf(image) ?? null,
    migrationImage: digestOf(migrationImage) ?? null,
    checks: Object.values(results).filter(({ passed }) => passed).length,
    imageName: nameOf(image),
    migrationImageName: nameOf(migrationImage),
  };
}

/** Adds a record: the newest first, each release once. */
export function addRecord(records: readonly ReleaseRecord[], record: ReleaseRecord): readonly ReleaseRecord[] {
  return [record, ...records.filter((known) => !isSame(known, record))].slice(0, keptReleases);
}

/** The parts of the identity that a checkout determines, and those of the images built from it. */
const identityKeys = { checkout: ["head", "chain", "sql", "runner"], images: ["image", "migrationImage"] } as const;

/** Whether two releases are the same. */
export function isSame(one: ReleaseIdentity, other: ReleaseIdentity): boolean {
  return isSameCheckout(one, other) && identityKeys.images.every((key) => one[key] === other[key]);
}

/** Whether two releases are the same except for their images. */
export function isSameCheckout(one: ReleaseIdentity, other: ReleaseIdentity): boolean {
  return identityKeys.checkout.every((key) => one[key] === other[key]);
}

const recordShape = object({
  version: literal(recordVersion),
  environment: anyText,
  head: anyText,
  chain: anyText,
  sql: anyText,
  runner: anyText,
  image: nullable(anyText),
  migrationImage: nullable(anyText),
  checks: index,
  imageName: anyText,
  migrationImageName: anyText,
});

/** Release records of a stack. */
export interface StackReleases {
  /** The records of this version, the newest first. */
  readonly records: readonly ReleaseRecord[];
  /** Number of records of other versions, which prove nothing. */
  readonly outdated: number;
}

/**
 * Parses a stack's output `releases`: a list or, for several apps, an object with the list of each.
 *
 * @param app - Name of the app.
 */
export function parseRecords(output: unknown, app?: string): StackReleases {
  const own = isRecord(output) && app !== undefined && Object.hasOwn(output, app) ? output[app] : output;
  const all = Array.isArray(own) ? own : [];
  const records = all.filter((each): each is ReleaseRecord => fits(each, recordShape));
  return { records, outdated: all.length - records.length };
}
