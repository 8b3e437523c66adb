import type { ClusterTarget } from "../cluster/kubectl.ts";
import { chainTables, cutAt } from "../lockfile/chain.ts";
import type { Lock } from "../lockfile/lock.ts";
import type { App } from "../manifests/app.ts";
import type { CheckName } from "./names.ts";

/** Where the checks look, and for which release. No secret is in it: it is in the state and in the environment. */
export interface CheckTarget extends ClusterTarget {
  /** Revision that the database must be at: the lock's head, or the one that the stack names. */
  readonly head: string;
  /** Revisions of later releases that it may be at instead. */
  readonly toleratedRevisions: readonly string[];
  /** Whether the stack has a PostgreSQL of its own. */
  readonly owned: boolean;
  /**
   * Revisions without a downgrade that the stack accepts.
   *
   * @defaultValue none
   */
  readonly irreversible?: readonly string[] | undefined;
  /**
   * The role that the backend logs in as, and that may change no schema.
   *
   * @defaultValue the one that migrates
   */
  readonly applicationRole?: string | undefined;
  /**
   * How far back the backend's log counts, in seconds.
   *
   * @defaultValue 300
   */
  readonly recentSeconds?: number | undefined;
  /**
   * How long a check may take, in seconds: then it has failed, whatever it still waits for.
   *
   * @defaultValue 20
   */
  readonly limitSeconds?: number;
  /**
   * The chain's lock, relative to the folder in which the checks run: that of the Pulumi program.
   *
   * @defaultValue Unity's own
   */
  readonly lockFile?: string | undefined;
  /**
   * The app that is checked.
   *
   * @defaultValue Unity
   */
  readonly app?: App | undefined;
  /**
   * What to check.
   *
   * @defaultValue all
   */
  readonly checks?: readonly CheckName[] | undefined;
}

/** What must be there. */
export interface Expected extends CheckTarget {
  /** The chain as far as {@link CheckTarget.head}. */
  readonly chain: Lock;
  /** Tables that the database must have. */
  readonly tables: readonly string[];
}

/** @throws {Error} If the lock lacks the target's head. */
export function expectedOf(target: CheckTarget, lock: Lock): Expected {
  const chain = cutAt(lock, target.head);
  return { ...target, chain, tables: chainTables(chain) };
}

/** What a check found, before it is given its name and duration. */
export interface CheckFinding {
  readonly passed: boolean;
  readonly expected: string;
  readonly found: string;
  /** Digest of the image that all pods run, `sha256:…`, where the check sees them and their cluster knows it. */
  readonly image?: string | undefined;
}

/** A check's result. */
export interface CheckResult extends CheckFinding {
  readonly name: CheckName;
  readonly seconds: number;
  /** What a person would type to see the same. */
  readonly command: string;
}

/** Each check's result, by its name. */
export type CheckResults = Readonly<Record<CheckName, CheckResult>>;

/** @returns The results that the checks' program printed. */
export function parseResults(output: string): CheckResults {
  const results = JSON.parse(output) as readonly CheckResult[];
  return Object.fromEntries(results.map((result) => [result.name, result])) as unknown as CheckResults;
}

/** @returns A failed check's result as people read it. */
export function describeFailure(result: CheckResult): string {
  return [
    `Check ${result.name} failed after ${result.seconds.toFixed(1)} s.`,
    `  expected: ${result.expected}`,
    `  found:    ${result.found}`,
    `  by hand:  ${result.command}`,
  ].join("\n");
}
