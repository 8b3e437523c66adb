import { createHash } from "node:crypto";
import type { LiveState } from "./live-state.ts";

/** Hex digits of a content hash in a name: 40 bits, more than enough for the objects of one namespace. */
const hashLength = 10;

/** Formats a value as JSON with sorted keys, so that equal content is equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => {
    if (field === null || typeof field !== "object" || Array.isArray(field)) return field;
    return Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

/** Returns the first digits of the SHA-256 of `value`'s JSON, regardless of the order of keys. */
export function contentHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, hashLength);
}

/**
 * Returns the migration Job's name, which is derived from its content: equal work is the same Job, and changed work is a
 * new Job beside it. Kubernetes can't change a Job's template in place, and a Job that is created again under its old
 * name can remain without pods (kubernetes/kubernetes#142142).
 *
 * @param prefix - Name without the hash, at most 46 characters, because a Job's name is a label of its pods (63).
 * @param chainDigest - Digest of the chain.
 * @param spec - The Job's whole spec, including image, runner, and every immutable field; contains no secret.
 * @param attempt - Number from 1; later attempts have it as a suffix, as in `…-28cf1aedda-2`.
 */
export function migrationJobName(prefix: string, chainDigest: string, spec: unknown, attempt = 1): string {
  return nameOfAttempt(`${prefix}-${contentHash({ chainDigest, spec })}`, attempt);
}

function nameOfAttempt(firstName: string, attempt: number): string {
  return attempt === 1 ? firstName : `${firstName}-${attempt}`;
}

/** A migration Job in the cluster. */
export interface LiveJob {
  readonly name: string;
  /** `deleting`: being deleted, whatever its result; `gone`: the last one that an update waited for was deleted. */
  readonly state: "running" | "complete" | "failed" | "deleting" | "gone";
  /** Creation time in ISO 8601, if known. */
  readonly created?: string;
  /** The plan that it was created with, as JSON, if any. */
  readonly plan?: string;
}

/** The Job that an update declares. */
export interface JobAttempt {
  readonly name: string;
  /** Number from 1. */
  readonly attempt: number;
  /** `run`: a new Job; `attach`: a running one; `keep`: a complete one, so that nothing runs. */
  readonly action: "run" | "attach" | "keep";
  /** Why the update declares this Job. */
  readonly reason: string;
  /** The Job's plan as JSON, for the runner; an existing Job keeps the one that it was created with. Absent if it has none. */
  readonly plan?: string;
}

/** States of a database that a complete Job has not migrated. */
const unmigrated: ReadonlySet<LiveState["kind"]> = new Set([
  "not-deployed",
  "never-applied",
  "behind",
  "beyond-target",
]);

/**
 * Determines which attempt of the same work an update declares. The next attempt follows a failed one, so that a retry is
 * just `pulumi up`. The failed Job remains until Pulumi deletes it, once the new one is complete.
 *
 * @param firstName - Name of the first attempt, from {@link migrationJobName}.
 * @param jobs - All migration Jobs of the namespace.
 * @param plan - The plan of a new Job.
 */
export function jobAttempt(firstName: string, jobs: readonly LiveJob[], state: LiveState, plan?: string): JobAttempt {
  const attempts = new Map<number, LiveJob>();
  for (const job of jobs) {
    const attempt = attemptOf(firstName, job.name);
    if (attempt !== undefined) attempts.set(attempt, job);
  }
  const last = Math.max(0, ...attempts.keys());
  const lastName = nameOfAttempt(firstName, last);
  const lastJob = attempts.get(last);
  const decide = (attempt: number, action: JobAttempt["action"], reason: string): JobAttempt => {
    const name = nameOfAttempt(firstName, attempt);
    return { name, attempt, action, reason, plan: action === "run" ? plan : lastJob?.plan };
  };
  switch (lastJob?.state) {
    case undefined:
      return decide(1, "run", newWork(jobs));
    case "running":
      return decide(last, "attach", "already running");
    case "failed":
      return decide(last + 1, "run", `${lastName} failed`);
    case "deleting":
      return decide(last + 1, "run", `${lastName} is being deleted`);
    case "gone":
      // Also if nothing is pending: a failed update may still wait for the deleted Job.
      return decide(last + 1, "run", `${lastName} was deleted`);
    case "complete": {
      if (unmigrated.has(state.kind)) return decide(last + 1, "run", `${lastName} is complete, but ${why(state)}`);
      const successor = successorOf(firstName, lastName, jobs);
      if (successor === undefined) return decide(last, "keep", "already complete");
      return decide(last + 1, "run", `${lastName} is complete, but ${successor} is newer`);
    }
  }
}

/**
 * Returns the Job of other work that was created after a Job of this work and still exists. An update to it failed, and
 * Pulumi will delete the Job that it replaced, so that Job's name must not be declared again.
 */
function successorOf(firstName: string, name: string, jobs: readonly LiveJob[]): string | undefined {
  const prefix = firstName.slice(0, -hashLength);
  const isOther = (job: LiveJob) => job.name.startsWith(prefix) && attemptOf(firstName, job.name) === undefined;
  const created = jobs.find((job) => job.name === name)?.created ?? "";
  return jobs.find((job) => isOther(job) && (job.created ?? "") > created)?.name;
}

/** Returns the number of an attempt; `undefined` if the name belongs to other work. */
function attemptOf(firstName: string, name: string): number | undefined {
  if (name === firstName) return 1;
  const suffix = name.startsWith(`${firstName}-`) ? name.slice(firstName.length + 1) : "";
  return /^[1-9][0-9]{0,8}$/.test(suffix) ? Number(suffix) : undefined;
}

function newWork(jobs: readonly LiveJob[]): string {
  const existing = jobs.filter((job) => job.state !== "gone").map(({ name }) => name);
  if (existing.length === 0) return "no existing Job";
  return `chain, image, runner, or settings changed since ${existing.join(", ")}`;
}

function why({ kind }: LiveState): string {
  if (kind === "not-deployed") return "no running workload can read the database revision";
  if (kind === "beyond-target") return "the database is beyond its target";
  return "the database is behind (restored or replaced)";
}
