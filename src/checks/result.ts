import type { ClusterTarget } from "../cluster/kubectl.ts";
import { chainTables, cutAt } from "../lockfile/chain.ts";
import { type Lock, lockDigest } from "../lockfile/lock.ts";
import { printableJson } from "../printable.ts";
import type { CustomCheck } from "./custom.ts";
import type { CheckName } from "./names.ts";
import { verificationErrors } from "./verification-errors.ts";

/** Release that a stack deploys. The checks verify that the cluster runs it, and return it with their results. */
export interface DeclaredRelease {
  /** The stack's environment. */
  readonly environment: string;
  /** Revision of the database after the deployment. */
  readonly head: string;
  /** Digest of the chain up to {@link head}: ids, order, and files. */
  readonly chain: string;
  /** Digest of the SQL of each of its revisions. */
  readonly sql: string;
  /** Digest of the runner. */
  readonly runner: string;
  /** References of the backend's image and of the migration's. */
  readonly image: string;
  readonly migrationImage: string;
  /** Name of the migration Job, which is derived from its content. */
  readonly jobName: string;
  /** Name of the ConfigMap with runner and chain, which is derived from its content. */
  readonly configMapName: string;
}

/** Release to check. The state contains it, so it holds no secret. */
export interface CheckTarget extends ClusterTarget {
  /** Expected revision of the database: the head of the chain, or the stack's target. */
  readonly head: string;
  /** Revisions of later releases that the database may be at instead. */
  readonly toleratedRevisions: readonly string[];
  /** Whether the stack has its own PostgreSQL. */
  readonly owned: boolean;
  /**
   * Revisions without a downgrade that the stack approves.
   *
   * @defaultValue none
   */
  readonly irreversible?: readonly string[] | undefined;
  /**
   * Database role of the backend, which must not change the schema.
   *
   * @defaultValue the role that migrates
   */
  readonly applicationRole?: string | undefined;
  /**
   * Names of objects whose differences from the rehearsed schema don't count, or patterns with `*`.
   *
   * @defaultValue none
   */
  readonly driftIgnore?: readonly string[] | undefined;
  /**
   * Age of the oldest log lines that are checked, in seconds.
   *
   * @defaultValue 300
   */
  readonly recentSeconds?: number | undefined;
  /** Lockfile of the chain, relative to the folder of the Pulumi program. */
  readonly lockFile: string;
  /**
   * Names of the app's Deployments, whatever their labels. The database is queried, and its role examined, from the newest
   * pod of the first one.
   */
  readonly workloads: readonly string[];
  /** Checks to run: names of built-in ones, such as those of `generalChecks`, and the app's own. */
  readonly checks: readonly (CheckName | CustomCheck)[];
  /**
   * Release that the cluster must run, for a stack that records it.
   *
   * @defaultValue any release with this head
   */
  readonly release?: DeclaredRelease | undefined;
}

/** Expected state of a release. */
export interface Expected extends CheckTarget {
  /** The chain up to {@link CheckTarget.head}. */
  readonly chain: Lock;
  /** Tables of the chain. */
  readonly tables: readonly string[];
}

/** Describes the errors of a target. */
export function describeErrors(errors: readonly string[]): string {
  return `invalid verification:\n  - ${errors.join("\n  - ")}`;
}

/**
 * Returns the expected state of a release.
 *
 * @throws {Error} If workloads or checks are invalid, or the lockfile lacks the target's head or is not the release's.
 */
export function expectedOf(target: CheckTarget, lock: Lock): Expected {
  const errors = verificationErrors(target);
  if (errors.length > 0) throw new Error(describeErrors(errors));
  const chain = cutAt(lock, target.head);
  const { head, release } = target;
  if (release !== undefined && (release.head !== head || release.chain !== lockDigest(chain)))
    throw new Error("the lockfile changed during the update; run: pulumi up");
  return { ...target, chain, tables: chainTables(chain) };
}

/** Finding of a check. */
export interface CheckFinding {
  readonly passed: boolean;
  readonly expected: string;
  readonly found: string;
  /** Digest of the image that all pods run, `sha256:…`, if the check reads it and the cluster knows it. */
  readonly image?: string | undefined;
  /**
   * Command that reproduces the result.
   *
   * @defaultValue that of the check
   */
  readonly command?: string | undefined;
}

/** Result of a check. */
export interface CheckResult extends CheckFinding {
  readonly name: string;
  readonly seconds: number;
  /** Command that reproduces the result. */
  readonly command: string;
}

/** Results of checks by name. */
export type CheckResults = Readonly<Record<string, CheckResult>>;

/** Results of checks that ran, and the release that they verified. */
export interface Verification {
  /** `undefined` if no release was declared. */
  readonly release: DeclaredRelease | undefined;
  readonly results: CheckResults;
}

/** Version of the output of the checks' program. */
const outputVersion = 2;

/** Returns the output of the checks' program: one line of JSON. */
export function formatVerification(release: DeclaredRelease | undefined, results: readonly CheckResult[]): string {
  return printableJson({ version: outputVersion, release, results });
}

/**
 * Parses the output of the checks' program.
 *
 * @returns `undefined` for the output of another version, and without output: the program has never run.
 */
export function parseVerification(output: string | undefined): Verification | undefined {
  if (!output) return undefined;
  const { version, release, results } = JSON.parse(output) as {
    version?: number;
    release?: DeclaredRelease;
    results: readonly CheckResult[];
  };
  if (version !== outputVersion) return undefined;
  const byName = Object.fromEntries(results.map((result) => [result.name, result]));
  return { release, results: byName };
}

/** Describes the result of a failed check. */
export function describeFailure({ name, seconds, expected, found, command }: CheckResult): string {
  return [
    `Check ${name} failed after ${seconds.toFixed(1)}s`,
    `  expected:   ${expected}`,
    `  actual:     ${found}`,
    `  reproduce:  ${command}`,
  ].join("\n");
}
