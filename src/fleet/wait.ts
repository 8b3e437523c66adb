import type { Kubectl } from "../cluster/kubectl.ts";
import { migrationSelector } from "../cluster/list-migrate-jobs.ts";
import { evaluateJob, type JobItem, jobOf, startFailure } from "../cluster/wait/evaluate-job.ts";
import { completeHeldJob, migrateJob, warningsOf } from "../cluster/wait/job.ts";
import { type Failure, type PollResult, Progress } from "../cluster/wait/poll-result.ts";
import { describeFailure, pollUntilDone } from "../cluster/wait/wait.ts";
import { runnerNames } from "../manifests/runner.ts";
import { printLine } from "../printable.ts";
import type { FleetJob, FleetTarget } from "./fleet.ts";

/** State of a tenant's Job. */
export type FleetState = "waiting" | "running" | "done" | "failed";

/** Next step of a fleet. */
export interface NextStep {
  /** Jobs to start now. */
  readonly start: readonly FleetJob[];
  /** Whether no Job is running and none is left to start. */
  readonly over: boolean;
}

/** Decides which Jobs start: canaries alone until all are done, and no others once one of them has failed. */
export function nextStep(
  jobs: readonly FleetJob[],
  states: ReadonlyMap<string, FleetState>,
  parallelism: number,
): NextStep {
  const inState = (state: FleetState) => jobs.filter(({ name }) => states.get(name) === state);
  const canaries = jobs.filter(({ canary }) => canary).map(({ name }) => states.get(name));
  const running = inState("running").length;
  const isStopped = canaries.includes("failed");
  const isOpen = canaries.every((state) => state === "done");
  const next = isStopped ? [] : inState("waiting").filter(({ canary }) => canary || isOpen);
  const start = next.slice(0, Math.max(0, parallelism - running));
  return { start, over: running === 0 && start.length === 0 };
}

/** Describes the progress of a fleet as one line. */
export function describeProgress(jobs: readonly FleetJob[], states: ReadonlyMap<string, FleetState>): string {
  const inState = (state: FleetState) => jobs.filter(({ name }) => states.get(name) === state);
  const tenants = (some: readonly FleetJob[]) => some.map(({ tenant }) => tenant).join(", ");
  const [running, waiting, failed] = [inState("running"), inState("waiting"), inState("failed")];
  const parts = [`${inState("done").length}/${jobs.length} tenants done`];
  if (running.length > 0) parts.push(`running: ${tenants(running)}`);
  if (waiting.length > 0) parts.push(`${waiting.length} waiting`);
  if (failed.length > 0) parts.push(`failed: ${tenants(failed)}`);
  return parts.join("; ");
}

/** Migration of a fleet while it runs. */
class FleetRun {
  readonly #kubectl: Kubectl;
  readonly #target: FleetTarget;
  readonly #states = new Map<string, FleetState>();
  readonly #started = new Map<string, { readonly progress: Progress; readonly since: number }>();
  /** Failed tenants, each with its cause. */
  readonly failed: { readonly tenant: string; readonly text: string }[] = [];

  constructor(kubectl: Kubectl, target: FleetTarget) {
    this.#kubectl = kubectl;
    this.#target = target;
  }

  /** Tenants whose Jobs were never started. */
  get waiting(): readonly string[] {
    return this.#target.jobs.filter(({ name }) => this.#states.get(name) === "waiting").map(({ tenant }) => tenant);
  }

  /** Polls all Jobs, and starts those that are next. */
  async poll(seconds: number): Promise<PollResult> {
    const { jobs, parallelism } = this.#target;
    const items = await this.#list();
    for (const job of jobs) {
      if (this.#states.get(job.name) !== "failed") this.#states.set(job.name, await this.#pollJob(job, items, seconds));
    }
    const { start, over } = nextStep(jobs, this.#states, parallelism);
    for (const { name } of start) {
      await this.#kubectl.run(["patch", `job/${name}`, "--type=merge", '--patch={"spec":{"suspend":false}}']);
      this.#states.set(name, "running");
    }
    return { done: over, progress: describeProgress(jobs, this.#states), causes: [] };
  }

  /** Reads the tenants' Jobs, and those of their pods that have not succeeded. */
  async #list(): Promise<readonly JobItem[]> {
    const get = async (...args: string[]) => (await this.#kubectl.get<{ items: JobItem[] }>(...args)).items;
    const selector = migrationSelector(this.#target.workload, "tenants");
    const lists = await Promise.all([
      get("jobs", selector),
      get("pods", selector, "--field-selector=status.phase!=Succeeded"),
    ]);
    return lists.flat();
  }

  async #pollJob(job: FleetJob, items: readonly JobItem[], seconds: number): Promise<FleetState> {
    const { job: live, pods } = jobOf(job.name, items);
    const isSuspended = live?.spec?.suspend === true;
    let result = evaluateJob(job.name, items, runnerNames.container);
    if (result.held !== undefined) result = await completeHeldJob(this.#kubectl, job.name, result);
    if (result.done) return "done";
    if (isSuspended && result.failed === undefined) return "waiting";
    if (live !== undefined && !isSuspended && pods.length === 0) {
      const warnings = await warningsOf(this.#kubectl, live);
      result = evaluateJob(job.name, items, runnerNames.container, warnings);
    }
    const started = this.#started.get(job.name) ?? {
      progress: new Progress(this.#target.timeoutSeconds),
      since: seconds,
    };
    this.#started.set(job.name, started);
    const elapsed = seconds - started.since;
    result = startFailure(job.name, items, result, elapsed, this.#target.startTimeoutSeconds) ?? result;
    const failure = started.progress.failure(result, elapsed);
    if (failure === undefined) return "running";
    this.failed.push({ tenant: job.tenant, text: await this.#describe(job, failure, result) });
    return "failed";
  }

  async #describe({ tenant, name, canary }: FleetJob, failure: Failure, result: PollResult): Promise<string> {
    const title = `Tenant ${tenant}${canary ? " (canary)" : ""}: Job ${name}`;
    const waiter = { ...migrateJob(this.#kubectl, { ...this.#target, name }), title };
    const { lines, command } = await describeFailure(this.#kubectl, this.#target, waiter, failure, result);
    return [...lines, command].join("\n");
  }
}

/**
 * Starts the Jobs of a fleet in their order, and waits for all of them.
 *
 * @param print - Receives progress lines.
 * @throws {Error} At the end, with each failed tenant's name and cause.
 */
export async function migrateFleet(
  kubectl: Kubectl,
  target: FleetTarget,
  print: (line: string) => void = printLine,
): Promise<void> {
  const run = new FleetRun(kubectl, target);
  const { result, seconds, failure } = await pollUntilDone({
    poll: (seconds) => run.poll(seconds),
    // Each Job has its own time limit.
    timeoutSeconds: Number.POSITIVE_INFINITY,
    // Each poll is two kubectl of 0.1 s of CPU.
    pause: () => 700,
    print,
  });
  if (failure !== undefined)
    throw new Error(`${failure.cause?.text}\nRunning Jobs continue. To wait for them, rerun: pulumi up`);
  print(`${result.progress} after ${seconds.toFixed(1)}s`);
  if (run.failed.length > 0) throw new Error(describeFleetFailure(target, run));
}

function describeFleetFailure({ jobs }: FleetTarget, { failed, waiting }: FleetRun): string {
  const tenants = failed.map(({ tenant }) => tenant).join(", ");
  const others =
    waiting.length > 0
      ? `A canary failed, so ${waiting.length} tenants were not started: ${waiting.join(", ")}.`
      : "The others are migrated.";
  return [
    `${failed.length} of ${jobs.length} tenants failed: ${tenants}. ${others}`,
    ...failed.map(({ text }) => text),
    "To migrate the remaining tenants, fix the errors and rerun: pulumi up",
  ].join("\n");
}
