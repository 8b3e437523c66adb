import { setTimeout as delay } from "node:timers/promises";
import type { Kubectl } from "../cluster/kubectl.ts";
import { evaluateJob, type JobItem, jobOf } from "../cluster/wait/evaluate-job.ts";
import { migrateJob, warningsOf } from "../cluster/wait/job.ts";
import { type Failure, type PollResult, Progress } from "../cluster/wait/poll-result.ts";
import { describeFailure, unanswered } from "../cluster/wait/wait.ts";
import { describeProgress, type FleetState, nextStep } from "./progress.ts";
import type { FleetJob, FleetTarget } from "./target.ts";
import { migrationSelector } from "./tenant-jobs.ts";

/** Milliseconds between two looks, each two kubectl of 0.1 s of CPU. */
const pauseMilliseconds = 700;
/** Seconds after which a line is told again: it shows that the wait is alive. */
const repeatSeconds = 30;

/** A tenant that failed, and what is said of it. */
interface Failed {
  readonly job: FleetJob;
  readonly text: string;
}

/** Starts a fleet's Jobs, so many at once, and waits for them. */
class FleetRun {
  readonly #kubectl: Kubectl;
  readonly #target: FleetTarget;
  readonly #states = new Map<string, FleetState>();
  readonly #progress = new Map<string, { readonly follow: Progress; readonly since: number }>();
  readonly failed: Failed[] = [];

  constructor(kubectl: Kubectl, target: FleetTarget) {
    this.#kubectl = kubectl;
    this.#target = target;
  }

  get line(): string {
    return describeProgress(this.#target.jobs, this.#states);
  }

  /** The tenants whose Jobs were never started. */
  get waiting(): readonly string[] {
    return this.#target.jobs.filter(({ name }) => this.#states.get(name) === "waiting").map(({ tenant }) => tenant);
  }

  /** Looks at all Jobs, and starts those whose turn it is. @returns Whether all is over. */
  async step(seconds: number): Promise<boolean> {
    const items = await this.#list();
    for (const job of this.#target.jobs) {
      if (this.#states.get(job.name) !== "failed") this.#states.set(job.name, await this.#look(job, items, seconds));
    }
    const { start, over } = nextStep(this.#target.jobs, this.#states, this.#target.parallelism);
    for (const { name } of start) {
      await this.#kubectl.run(["patch", `job/${name}`, "--type=merge", '--patch={"spec":{"suspend":false}}']);
      this.#states.set(name, "running");
    }
    return over;
  }

  /** The tenants' Jobs, and those of their pods that are not done. */
  async #list(): Promise<readonly JobItem[]> {
    const get = async (...args: string[]) => (await this.#kubectl.get<{ items: JobItem[] }>(...args)).items;
    const selector = migrationSelector(this.#target.workload, "tenants");
    const lists = await Promise.all([
      get("jobs", selector),
      get("pods", selector, "--field-selector=status.phase!=Succeeded"),
    ]);
    return lists.flat();
  }

  async #look(job: FleetJob, items: readonly JobItem[], seconds: number): Promise<FleetState> {
    const { job: live, pods } = jobOf(job.name, items);
    const warned = live !== undefined && live.spec?.suspend !== true && pods.length === 0;
    const result = evaluateJob(job.name, items, []);
    if (result.done) return "done";
    if (live?.spec?.suspend === true && result.failed === undefined) return "waiting";
    const warnings = warned ? await warningsOf(this.#kubectl, live) : [];
    const full = warnings.length > 0 ? evaluateJob(job.name, items, warnings) : result;
    const { follow, since } = this.#progress.get(job.name) ?? {
      follow: new Progress(this.#target.timeoutSeconds),
      since: seconds,
    };
    this.#progress.set(job.name, { follow, since });
    const failure = follow.failure(full, seconds - since);
    if (failure === undefined) return "running";
    this.failed.push({ job, text: await this.#describe(job, failure, full, seconds - since) });
    return "failed";
  }

  async #describe(job: FleetJob, failure: Failure, result: PollResult, seconds: number): Promise<string> {
    const { context, namespace } = this.#target;
    const title = `Tenant ${job.tenant}${job.canary ? " (a canary)" : ""}: Job ${job.name}`;
    const waiter = { ...migrateJob(this.#kubectl, job.name, this.#target.workload), title };
    const { lines, see } = await describeFailure(this.#kubectl, waiter, failure, result, seconds);
    return [...lines, `See: kubectl --context ${context} -n ${namespace} ${see}`].join("\n");
  }
}

/**
 * Starts the Jobs of a fleet in their order, so many at once, and waits for all of them.
 *
 * @param print Takes lines of progress.
 * @throws {Error} At the end, with each failed tenant's name and cause.
 */
export async function migrateFleet(
  kubectl: Kubectl,
  target: FleetTarget,
  print: (line: string) => void = console.log,
): Promise<void> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const parent = process.ppid;
  const run = new FleetRun(kubectl, target);
  const answers = new Progress(Number.POSITIVE_INFINITY);
  let [lastPrinted, lastPrintedAt] = ["", 0];
  for (;;) {
    const result = await run
      .step(elapsed())
      .then((done) => ({ done, progress: run.line, causes: [] }))
      .catch(unanswered);
    const seconds = elapsed();
    if (result.done || result.progress !== lastPrinted || seconds - lastPrintedAt >= repeatSeconds) {
      print(`${result.progress} (${Math.round(seconds)} s)`);
      [lastPrinted, lastPrintedAt] = [result.progress, seconds];
    }
    if (result.done) break;
    const lost = answers.failure(result, seconds);
    if (lost !== undefined) throw new Error(`${lost.cause?.text}\nWhat runs goes on; run \`pulumi up\` again.`);
    // The update that asked was killed: the next one goes on.
    if (process.ppid !== parent) throw new Error("the update has ended");
    await delay(pauseMilliseconds);
  }
  if (run.failed.length > 0) throw new Error(describeFleetFailure(target, run));
}

function describeFleetFailure({ jobs }: FleetTarget, { failed, waiting }: FleetRun): string {
  const tenants = failed.map(({ job }) => job.tenant).join(", ");
  const others =
    waiting.length > 0
      ? `A canary has failed, so nothing else was started: ${waiting.length} tenants wait (${waiting.join(", ")}).`
      : "The others are migrated.";
  return [
    `${failed.length} of ${jobs.length} tenants failed: ${tenants}. ${others}`,
    ...failed.map(({ text }) => text),
    "Mend it, then run `pulumi up` again: it migrates those that are not migrated, and no others.",
  ].join("\n");
}
