import type { App } from "../manifests/app.ts";
import { tenantId, tenantName } from "../manifests/tenant.ts";
import type { Tenant } from "./options.ts";
import type { FleetJob } from "./target.ts";

type Canaries = number | readonly string[];

/** @returns What is wrong with a fleet's arguments, a sentence each. */
export function fleetErrors(
  app: App,
  tenants: readonly Tenant[],
  canaries: Canaries,
  parallelism: number,
): readonly string[] {
  const known = tenants.map(({ name }) => name);
  const twice = known.filter((name, index) => known.indexOf(name) !== index);
  const ids = new Map(known.map((name) => [tenantId(app, name), name]));
  const bad = known.filter((name) => !tenantName.test(name));
  const unknown = typeof canaries === "number" ? [] : canaries.filter((name) => !known.includes(name));
  const isCount = (value: number, least: number) => Number.isInteger(value) && value >= least;
  return [
    ...(known.length === 0 ? ["tenants is empty: name at least one"] : []),
    ...bad.map((name) => `tenants: "${name}" is no name: lower-case letters, digits, hyphens between them`),
    ...new Set(twice.map((name) => `tenants: "${name}" is there twice: each needs a name of its own`)),
    ...(twice.length === 0 && ids.size < known.length ? ["tenants: two long names have the same short form"] : []),
    ...unknown.map((name) => `canaries: "${name}" is none of the tenants (${known.join(", ")})`),
    ...(typeof canaries === "number" && !isCount(canaries, 0)
      ? [`canaries is ${canaries}: 0 or more, or tenants' names`]
      : []),
    ...(isCount(parallelism, 1) ? [] : [`parallelism is ${parallelism}: a whole number from 1`]),
  ];
}

/** @returns The tenants' Jobs in the order in which they are started: canaries first, else as they were given. */
export function orderTenants(jobs: readonly Omit<FleetJob, "canary">[], canaries: Canaries): readonly FleetJob[] {
  const marked = jobs.map((job, index) => ({
    ...job,
    canary: typeof canaries === "number" ? index < canaries : canaries.includes(job.tenant),
  }));
  return [...marked.filter(({ canary }) => canary), ...marked.filter(({ canary }) => !canary)];
}
