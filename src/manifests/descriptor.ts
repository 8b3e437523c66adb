import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { formatLock } from "../lockfile/format-lock.ts";
import type { Lock } from "../lockfile/lock.ts";
import { parseLock } from "../lockfile/parse-lock.ts";
import { lockFileName } from "../paths.ts";
import type { Approval } from "../plan/approvals.ts";
import type { MigrationInputs, MigrationOptions } from "./migrate-job.ts";

/** Version of the format. */
const descriptorVersion = 1;

/** Deployed migration, as commands need to know it. It holds no secret: the cluster shows it. */
export interface MigrationDescriptor {
  /** Options of the migration, without its inputs. */
  readonly options: Omit<MigrationOptions, keyof MigrationInputs | "lock" | "runnerFiles">;
  /** Revision of the database after the migration. */
  readonly head: string;
  readonly approvals: readonly Approval[];
  /** Lockfile, relative to the folder of the program. */
  readonly lockFile: string;
  /** Whether the namespace's Deployment `postgres` is the database. */
  readonly owned: boolean;
}

/** Verification of a deployed app, as commands need to know it. */
export interface VerificationDescriptor {
  /** Checks of the program, as data. */
  readonly checks: readonly unknown[];
  /** Age of the oldest log lines that are checked, in seconds. */
  readonly recentSeconds?: number | undefined;
}

/** Deployed app, as its ConfigMaps describe it: each part is a file of their data. */
export interface DescribedApp {
  readonly migration: MigrationDescriptor;
  readonly inputs: MigrationInputs;
  /** Reviewed chain; `undefined` if it is too large for a ConfigMap. */
  readonly lock: Lock | undefined;
  /** @defaultValue the program declares no verification */
  readonly verification?: VerificationDescriptor | undefined;
  /** Names of the Deployments that are verified. */
  readonly workloads: readonly string[];
  /** Release that the cluster must run. */
  readonly release?: unknown;
}

/** Files of the descriptors. What may be unknown in a preview has files of its own, so that the preview shows the others. */
export const descriptorFiles = {
  migration: "migration.json",
  inputs: "inputs.json",
  lock: lockFileName,
  compressedLock: "migrations.lock.json.br",
  verification: "verification.json",
  workloads: "workloads.json",
  release: "release.json",
} as const;

/** Maximum bytes of a lockfile, as it is and compressed: the rest of a ConfigMap's 1 MiB is for the other files. */
const lockLimits = { text: 256 * 1024, compressed: 900 * 1024 };

/** Returns a part as a file's text. */
export function describe<Part extends object>(part: Part): string {
  return JSON.stringify({ version: descriptorVersion, ...part });
}

/** Data of a ConfigMap, as `kubectl get` prints it. */
interface Data {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/**
 * Returns the data with a lockfile; empty if it doesn't fit. A large one is compressed, and another version of Node.js may
 * do that in another way: the next update then changes this ConfigMap, and nothing else.
 */
export function describeLock(lock: Lock, limits = lockLimits): Data {
  const text = formatLock(lock);
  if (Buffer.byteLength(text) <= limits.text) return { data: { [descriptorFiles.lock]: text } };
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  const compressed = brotliCompressSync(text, { params });
  if (compressed.length > limits.compressed) return {};
  return { binaryData: { [descriptorFiles.compressedLock]: compressed.toString("base64") } };
}

/**
 * Parses the descriptors of one app: of its migration, and of its verification if it has one.
 *
 * @throws {Error} If one was written by another version of the package, or is invalid.
 */
export function parseDescriptors(app: string, objects: readonly Data[]): DescribedApp {
  const files: Record<string, string> = Object.assign({}, ...objects.map(({ data }) => data));
  const binaries: Record<string, string> = Object.assign({}, ...objects.map(({ binaryData }) => binaryData));
  const parse = <Part>(file: string): Part | undefined => {
    const text = files[file];
    return text === undefined ? undefined : (JSON.parse(text) as Part);
  };
  const migration = parse<MigrationDescriptor & Versioned>(descriptorFiles.migration);
  const inputs = parse<MigrationInputs>(descriptorFiles.inputs);
  const verification = parse<VerificationDescriptor & Versioned>(descriptorFiles.verification);
  if (migration === undefined || inputs === undefined) throw new Error(`app ${app} has no migration`);
  for (const { version } of [migration, verification ?? migration]) {
    if (version === descriptorVersion) continue;
    const fix = "Install the version of the package that its program uses.";
    throw new Error(
      `app ${app} has descriptors of format ${version}; this command reads format ${descriptorVersion}\n${fix}`,
    );
  }
  const compressed = binaries[descriptorFiles.compressedLock];
  const text = compressed
    ? brotliDecompressSync(Buffer.from(compressed, "base64")).toString()
    : files[descriptorFiles.lock];
  return {
    migration,
    inputs,
    lock: text ? parseLock(text, `of app ${app}`) : undefined,
    verification,
    workloads: parse<readonly string[]>(descriptorFiles.workloads) ?? [],
    release: parse(descriptorFiles.release),
  };
}

interface Versioned {
  readonly version?: number;
}
