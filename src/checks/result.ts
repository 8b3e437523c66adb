import type { ClusterTarget } from "../cluster/kubectl.ts";
import { chainTables, cutAt } from "../lockfile/chain.ts";
import type { Lock } from "../lockfile/lock.ts";
import type { App } from "../manifests/app.ts";
import type { CheckName } from "./names.ts";

/** Release to check. The state and the environment contain it, so it holds no secret. */
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
   * Age of the oldest log lines that are checked, in seconds.
   *
   * @defaultValue 300
   */
  readonly recentSeconds?: number | undefined;
  /**
   * Time limit of a check in seconds, after which it has failed.
   *
   * @defaultValue 20
   */
  readonly limitSeconds?: number;
  /**
   * Lockfile of the chain, relative to the folder of the Pulumi program.
   *
   * @defaultValue Unity's lockfile
   */
  readonly lockFile?: string | undefined;
  /**
   * App to check.
   *
   * @defaultValue Unity
   */
  readonly app?: App | undefined;
  /**
   * Checks to run.
   *
   * @defaultValue all
   */
  readonly checks?: readonly CheckName[] | undefined;
}

/** Expected state of a release. */
export interface Expected extends CheckTarget {
  /** The chain up to {@link CheckTarget.head}. */
  readonly chain: Lock;
  /** Tables of the chain. */
  readonly tables: readonly string[];
}

/**
 * Returns the expected state of a release.
 *
 * @throws {Error} If the lockfile lacks the target's head.
 */
export function expectedOf(target: CheckTarget, lock: Lock): Expected {
  const chain = cutAt(lock, target.head);
  return { ...target, chain, tables: chainTables(chain) };
}

/** Finding of a check. */
export interface CheckFinding {
  readonly passed: boolean;
  readonly expected: string;
  readonly found: string;
  /** Digest of the image that all pods run, `sha256:…`, if the check reads it and the cluster knows it. */
  readonly image?: string | undefined;
}

/** Result of a check. */
export interface CheckResult extends CheckFinding {
  readonly name: CheckName;
  readonly seconds: number;
  /** Command that reproduces the result. */
  readonly command: string;
}

/** Results of checks by name. */
export type CheckResults = Readonly<Record<CheckName, CheckResult>>;

/** Parses the output of the checks' program. */
export function parseResults(output: string): CheckResults {
  const results = JSON.parse(output) as readonly CheckResult[];
  return Object.fromEntries(results.map((result) => [result.name, result])) as unknown as CheckResults;
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
