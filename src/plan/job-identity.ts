import { createHash } from "node:crypto";
import type { LiveState } from "./live-state.ts";

/** Hex digits of a content hash in a name: 40 bits, far more than the objects of one namespace need. */
const hashLength = 10;

/** `value` as JSON with every object's keys sorted, so that equal content is equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    field !== null && typeof field === "object" && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : field,
  );
}

/** @returns The first digits of the SHA-256 of `value`'s JSON; the order of keys does not matter. */
export function contentHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, hashLength);
}

/**
 * The migrate Job's name: a function of all that it will do, so that equal work is the same Job and changed work is a
 * new one beside it. Kubernetes can't change a Job's template in place, and re-creating one under its old name can
 * leave it without pods (kubernetes/kubernetes#142142).
 *
 * @param prefix Name without the hash, at most 46 characters: a Job's name is a label of its pods (63).
 * @param chainDigest Digest of the chain, of the lock.
 * @param spec The Job's whole spec: image, runner and every immutable field among it; no secret.
 * @param attempt From 1; the later ones of the same work are told apart by a suffix, as in `…-28cf1aedda-2`.
 */
export function migrationJobName(prefix: string, chainDigest: string, spec: unknown, attempt = 1): string {
  return nameOfAttempt(`${prefix}-${contentHash({ chainDigest, spec })}`, attempt);
}

function nameOfAttempt(firstName: string, attempt: number): string {
  return attempt === 1 ? firstName : `${firstName}-${attempt}`;
}

/** A migrate Job that lives in the cluster. */
export interface LiveJob {
  readonly name: string;
  /** `deleting`: on its way out, whatever it did; `gone`: the one waited for last, which is there no more. */
  readonly state: "running" | "complete" | "failed" | "deleting" | "gone";
  /** When it was created, in ISO 8601, if that is known. */
  readonly created?: string;
}

/** Which Job an update declares. */
export interface JobAttempt {
  readonly name: string;
  /** From 1. */
  readonly attempt: number;
  /** `run`: a new Job; `attach`: one that is running; `keep`: one that is complete, and nothing runs. */
  readonly action: "run" | "attach" | "keep";
  /** Why it is this one. */
  readonly reason: string;
}

/** Where the database is not at what a complete Job brought it to, or no longer there to tell. */
const elsewhere: ReadonlySet<LiveState["kind"]> = new Set(["not-deployed", "never-applied", "behind", "beyond-target"]);

/**
 * Decides which attempt of the same work the update declares. A failed attempt leads to the next one, so that a retry
 * is just another `pulumi up`; the old Job is not touched here: Pulumi deletes it once the new one is complete.
 *
 * @param firstName Name of the first attempt, of {@link migrationJobName}.
 * @param jobs All migrate Jobs of the namespace.
 */
export function jobAttempt(firstName: string, jobs: readonly LiveJob[], state: LiveState): JobAttempt {
  const attempts = new Map(jobs.flatMap((job) => (attemptOf(firstName, job.name) ?? []).map((n) => [n, job.state])));
  const last = Math.max(0, ...attempts.keys());
  const decide = (attempt: number, action: JobAttempt["action"], reason: string) => ({
    name: nameOfAttempt(firstName, attempt),
    attempt,
    action,
    reason,
  });
  switch (attempts.get(last)) {
    case undefined:
      return decide(1, "run", newWork(jobs));
    case "running":
      return decide(last, "attach", "it is running: the update waits for it");
    case "failed":
      return decide(last + 1, "run", `${nameOfAttempt(firstName, last)} failed`);
    case "deleting":
      return decide(last + 1, "run", `${nameOfAttempt(firstName, last)} is being deleted`);
    case "gone":
      // Also when nothing is left to do: an update that failed may still wait for the one that is gone.
      return decide(last + 1, "run", `${nameOfAttempt(firstName, last)} was deleted`);
    case "complete": {
      const name = nameOfAttempt(firstName, last);
      if (elsewhere.has(state.kind)) return decide(last + 1, "run", `${name} is complete, but ${stale(state)}`);
      const successor = successorOf(firstName, name, jobs);
      return successor === undefined
        ? decide(last, "keep", "it is complete, and nothing has changed")
        : decide(last + 1, "run", `${name} is complete, but ${successor} came after it`);
    }
  }
}

/**
 * @returns The Job of other work that was made after a Job of this one and is still there: an update to it has failed.
 * Pulumi is going to delete what it replaced, by its name, so that this very name must not be declared again.
 */
function successorOf(firstName: string, name: string, jobs: readonly LiveJob[]): string | undefined {
  const prefix = firstName.slice(0, -hashLength);
  const isOther = (job: LiveJob) => job.name.startsWith(prefix) && attemptOf(firstName, job.name) === undefined;
  const created = jobs.find((job) => job.name === name)?.created ?? "";
  return jobs.find((job) => isOther(job) && (job.created ?? "") > created)?.name;
}

/** @returns The number of the attempt in a list; nothing if the name is another work's. */
function attemptOf(firstName: string, name: string): number[] | undefined {
  if (name === firstName) return [1];
  const suffix = name.startsWith(`${firstName}-`) ? name.slice(firstName.length + 1) : "";
  return /^[1-9][0-9]{0,8}$/.test(suffix) ? [Number(suffix)] : undefined;
}

function newWork(jobs: readonly LiveJob[]): string {
  const there = jobs.filter((job) => job.state !== "gone").map(({ name }) => name);
  if (there.length === 0) return "no migrate Job is in the namespace";
  return `chain, image, runner or settings are not those of ${there.join(", ")}`;
}

function stale(state: LiveState): string {
  if (state.kind === "not-deployed") return "no pod is there to tell where the database is";
  return state.kind === "beyond-target"
    ? "the database has gone beyond its target since"
    : "the database is behind: it was restored or replaced";
}
