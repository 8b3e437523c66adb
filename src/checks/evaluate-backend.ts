import { isDatabaseError } from "../cluster/database-errors.ts";
import { type Deployment, defaultContainer, type Pod } from "../cluster/objects.ts";
import type { Rollout } from "../cluster/rollout.ts";
import { allReviewedFiles } from "../lockfile/lock.ts";
import { digestOf, isSameImage } from "../manifests/image-reference.ts";
import { names, ports } from "../manifests/names.ts";
import { parsed } from "./evaluate-custom.ts";
import type { ExecutionFacts, ImageFacts } from "./pod-facts.ts";
import type { CheckFinding, DeclaredRelease, Expected } from "./result.ts";
import { shortened, some } from "./text.ts";

/**
 * Evaluates a Deployment with its pods: all desired pods are ready, and no others exist. If a release is expected, its
 * image and its runner are those of the pods.
 */
export function evaluatePods(rollout: Rollout | undefined, { release }: Expected): CheckFinding {
  if (rollout === undefined) return { passed: false, expected: "a Deployment", found: "no Deployment" };
  const { deployment, desired, ready, own, old, complete } = rollout;
  const others = Math.max(own.length + old.length, deployment.status?.replicas ?? 0) - desired;
  const expected = [`${desired}/${desired} ready, no others`];
  const found = [`${ready}/${desired} ready${others > 0 ? `, ${others} other` : ""}`];
  const different = release === undefined ? [] : differentParts(deployment, release);
  if (release !== undefined) expected.push(`image ${release.image}`, `runner ${release.configMapName}`);
  found.push(...different);
  return {
    passed: complete && different.length === 0,
    expected: expected.join("; "),
    found: shortened(found.join("; ")),
    ...(own.length > 0 && { image: imageOf(own) }),
  };
}

/** Describes the parts of a Deployment that are not those of a release. */
function differentParts({ spec: { template } }: Deployment, release: DeclaredRelease): readonly string[] {
  const { volumes = [] } = template.spec;
  const image = defaultContainer(template)?.image ?? "unknown";
  const configMaps = volumes.map(({ configMap }) => configMap?.name).filter((name) => name !== undefined);
  const different: string[] = [];
  if (!isSameImage(image, release.image)) different.push(`image ${image}`);
  if (!configMaps.includes(release.configMapName)) different.push(`runner ${configMaps.join(", ") || "unknown"}`);
  return different;
}

/** Returns the digest of the image that the default containers run; `undefined` if they differ, or it is unknown. */
function imageOf(pods: readonly Pod[]): string | undefined {
  const digests = pods.map((pod) => {
    const container = pod.status.containerStatuses?.find(({ name }) => name === defaultContainer(pod)?.name);
    return digestOf(container?.imageID ?? "");
  });
  return new Set(digests).size === 1 ? digests[0] : undefined;
}

/** Returns a field of an object; `undefined` if `value` is not an object. */
function field(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" ? Reflect.get(value, name) : undefined;
}

/**
 * Combines the findings of several workloads: all must pass. It describes those that fail, by the workload's name.
 *
 * @param findings - At least one, by workload.
 * @param command - Returns the command that reproduces the finding of a workload.
 */
export function combineWorkloads(
  findings: readonly (readonly [workload: string, CheckFinding])[],
  command: (workload: string) => string,
): CheckFinding {
  const [[first, only] = ["", undefined], ...others] = findings;
  if (only === undefined) throw new Error("no workloads");
  if (others.length === 0) return { ...only, command: command(first) };
  const failed = findings.filter(([, { passed }]) => !passed);
  const shown = failed.length > 0 ? failed : findings;
  const describe = (part: "expected" | "found") =>
    shown.map(([workload, finding]) => `${workload}: ${finding[part]}`).join("; ");
  const images = new Set(findings.flatMap(([, finding]) => ("image" in finding ? [finding.image] : [])));
  const [image] = images;
  return {
    passed: failed.length === 0,
    expected: describe("expected"),
    found: shortened(describe("found")),
    image: images.size === 1 ? image : undefined,
    command: command(failed[0]?.[0] ?? first),
  };
}

/** Evaluates the response of `/health`. */
export function evaluateHealth(output: string): CheckFinding {
  const response = parsed(output);
  const database = field(field(response, "components"), "database");
  const passed = field(response, "status") === "healthy" && field(database, "status") === "healthy";
  return { passed, expected: "status healthy, database healthy", found: shortened(output) || "no response" };
}

/** Evaluates the response of `/api/plugins`. */
export function evaluatePlugins(output: string): CheckFinding {
  const response = parsed(output);
  const expected = "a JSON list";
  if (Array.isArray(response)) return { passed: true, expected, found: `${response.length} plugins` };
  return { passed: false, expected, found: shortened(output) || "no response" };
}

/** Evaluates the image: the locked files, Alembic's configuration, and an `env.py` that reads the environment. */
export function evaluateImage({ files, extra, ini, env }: ImageFacts, { chain }: Expected): CheckFinding {
  const errors: string[] = [];
  const reviewed = Object.entries(allReviewedFiles(chain));
  for (const [file, sha256] of reviewed) {
    const hash = files[file] ?? null;
    if (hash === null) errors.push(`${file} is missing`);
    else if (hash !== sha256) errors.push(`${file} differs from the lockfile`);
  }
  for (const file of extra) errors.push(`${file} is not in the lockfile`);
  if (ini !== null) errors.push(ini);
  if (env !== null) errors.push(env);
  const expected = `${reviewed.length} locked files, Alembic's configuration, env.py for the database of DATABASE_URL`;
  if (errors.length > 0) return { passed: false, expected, found: shortened(some(errors)) };
  return { passed: true, expected, found: expected };
}

/** Returns the finding of a workload that is scaled to zero, which has no pod to read; otherwise `null`. */
export function withoutPods(rollout: Rollout | undefined): CheckFinding | null {
  if (rollout?.desired !== 0) return null;
  return { passed: true, expected: "not applicable: 0 pods", found: "not evaluated" };
}

/** Evaluates the target of DATABASE_URL without showing any part of it: each may be part of a password. */
export function evaluateDatabaseHost({ address }: ImageFacts, { owned }: Expected): CheckFinding {
  const expected = owned ? `${names.postgresService}:${ports.postgres}/${names.database}` : "valid URL";
  const failed = (found: string) => ({ passed: false, expected, found });
  if (!address.set) return failed("DATABASE_URL is not set");
  if (!address.url) return failed("not a PostgreSQL URL with a host (value hidden)");
  if (!owned) return { passed: true, expected, found: expected };
  const different = (["host", "port", "database"] as const).filter((part) => !address[part]);
  if (different.length > 0) return failed(`different ${different.join(" and ")} (value hidden)`);
  return { passed: true, expected, found: expected };
}

/** Evaluates the recent log lines of a release's own pods, each after `[pod/<name>/<container>] `. */
export function evaluateLogs(log: string, rollout: Rollout | undefined): CheckFinding {
  const own = new Set(rollout?.own.map(({ metadata }) => metadata.name));
  const lines = log.split("\n").flatMap((line) => {
    const [, pod = "", text = ""] = /^\[pod\/([^/]+)\/[^\]]*\] (.*)$/.exec(line) ?? [];
    return own.has(pod) ? [text] : [];
  });
  const errors = lines.filter(isDatabaseError);
  const expected = "0 database errors in recent logs";
  const found = `errors in ${errors.length} of ${lines.length} lines`;
  if (errors.length === 0) return { passed: true, expected, found };
  return { passed: false, expected, found: shortened(`${found}, last: ${errors.at(-1)}`) };
}

/** Table of plugin executions: a release whose chain ends before it has none to check. */
const executions = "plugin_executions";

/** Returns the finding of a release without plugin executions; otherwise `null`. */
export function withoutExecutions({ tables, head }: Expected): CheckFinding | null {
  if (tables.includes(executions)) return null;
  return { passed: true, expected: `not applicable: ${head} precedes ${executions}`, found: "not evaluated" };
}

/** Evaluates the execution of a plugin by its row in the database. */
export function evaluateExecution(facts: ExecutionFacts): CheckFinding {
  const expected = `a plugin executed by the API, and its row in ${executions}: started, completed, succeeded`;
  const failed = (found: string) => ({ passed: false, expected, found: shortened(found) });
  if ("problem" in facts) {
    const { status, problem } = facts;
    return failed(status === 0 ? `no response to ${problem}` : `HTTP ${status} for ${problem}`);
  }
  const { plugin, row, restored } = facts;
  if (plugin === null) return failed("no executable plugin");
  if (!row) return failed(`${plugin}: executed, but no row`);
  const { startedAt, completedAt, status, error } = row;
  if (startedAt === null || completedAt === null) {
    const missing = startedAt === null ? "start" : "completion";
    return failed(`${plugin}: row without ${missing}, status ${status}`);
  }
  if (status !== "succeeded") return failed(`${plugin} ${status}: ${error ?? "no error recorded"}`);
  if (!restored) return failed(`${plugin} succeeded, but its enabled state was not restored`);
  return { passed: true, expected, found: `${plugin} ${status}, ${startedAt} to ${completedAt}` };
}
