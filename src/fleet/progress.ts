import type { FleetJob } from "./target.ts";

/** How far a tenant's Job is. */
export type FleetState = "waiting" | "running" | "done" | "failed";

/** What to do next. */
export interface NextStep {
  /** Jobs to start now. */
  readonly start: readonly FleetJob[];
  /** Whether nothing runs and nothing is to be started any more. */
  readonly over: boolean;
}

/** Decides which Jobs start: canaries alone until all are done, nothing more once one has failed, so many at once. */
export function nextStep(
  jobs: readonly FleetJob[],
  states: ReadonlyMap<string, FleetState>,
  parallelism: number,
): NextStep {
  const inState = (state: FleetState) => jobs.filter(({ name }) => states.get(name) === state);
  const canaries = jobs.filter(({ canary }) => canary).map(({ name }) => states.get(name));
  const running = inState("running").length;
  const stopped = canaries.includes("failed");
  const open = canaries.every((state) => state === "done");
  const next = stopped ? [] : inState("waiting").filter(({ canary }) => canary || open);
  const start = next.slice(0, Math.max(0, parallelism - running));
  return { start, over: running === 0 && start.length === 0 };
}

/** @returns How far a fleet is, as one line. */
export function describeProgress(jobs: readonly FleetJob[], states: ReadonlyMap<string, FleetState>): string {
  const inState = (state: FleetState) => jobs.filter(({ name }) => states.get(name) === state);
  const [done, running, waiting, failed] = (["done", "running", "waiting", "failed"] as const).map(inState);
  const tenants = (some: readonly FleetJob[] = []) => some.map(({ tenant }) => tenant).join(", ");
  return [
    `${done?.length} of ${jobs.length} tenants done`,
    ...(running?.length ? [`running: ${tenants(running)}`] : []),
    ...(waiting?.length ? [`${waiting.length} wait`] : []),
    ...(failed?.length ? [`failed: ${tenants(failed)}`] : []),
  ].join("; ");
}
