import { randomBytes } from "node:crypto";
import { labels, names } from "../../manifests/names.ts";
import type { PlainPlacement } from "../../manifests/pod-config.ts";
import {
  majorOfVersion,
  majorVersionError,
  postgresImageContainerName,
  postgresImageJobSpec,
} from "../../manifests/postgres.ts";
import { settled } from "../database-query.ts";
import type { Kubectl } from "../kubectl.ts";
import type { Deployment } from "../objects.ts";
import { workloadSelector } from "../pods.ts";
import { evaluateJob, type JobItem, jobOf } from "./evaluate-job.ts";
import { type Waiter, type WaitTarget, waitFor } from "./wait.ts";

/** Image that PostgreSQL's Deployment is about to run. */
export interface PostgresImageTarget extends WaitTarget {
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Where PostgreSQL's pod runs. */
  readonly placement?: PlainPlacement | undefined;
}

/**
 * Proves that a running PostgreSQL can be replaced by one of another image, before its pod is stopped: a Job pulls the
 * image and prints its version, which must be that of the data. Without a PostgreSQL, or with the same image, nothing runs.
 *
 * @param print - Receives lines of progress.
 * @throws {Error} If the image can't be pulled, contains no PostgreSQL, or another major version.
 */
export async function provePostgresImage(
  kubectl: Kubectl,
  target: PostgresImageTarget,
  print: (line: string) => void = console.log,
): Promise<void> {
  const { image } = target;
  const running = await runningImage(kubectl, target.name);
  if (running === undefined || running === image) return print(`Image ${image} replaces no other image`);
  const dataMajor = await readDataMajor(kubectl, target.name);
  const version = await versionOf(kubectl, target, print);
  const error = majorVersionError(image, majorOfVersion(version), dataMajor);
  if (error !== undefined) throw new Error(error);
  if (majorOfVersion(version) === undefined)
    throw new Error(`image ${image} contains no PostgreSQL: postgres --version printed ${JSON.stringify(version)}`);
  const data = dataMajor === undefined ? "; PostgreSQL isn't running, so the version of its data is unknown" : "";
  print(`Image ${image} can be pulled: ${version}${data}`);
}

/** Returns the image of PostgreSQL's Deployment; `undefined` without a Deployment. */
async function runningImage(kubectl: Kubectl, deployment: string): Promise<string | undefined> {
  const output = await kubectl.run(["get", "deployment", deployment, "--ignore-not-found", "--output=json"]);
  return output.trim() === "" ? undefined : postgresImageOf(JSON.parse(output));
}

/** Returns the image of PostgreSQL in its Deployment. */
export function postgresImageOf({ spec }: Deployment): string | undefined {
  return spec.template.spec.containers.find(({ name }) => name === names.postgres)?.image;
}

/** Reads the major version of PostgreSQL's data in its pod; `undefined` if it isn't running. */
export async function readDataMajor(kubectl: Kubectl, deployment: string): Promise<number | undefined> {
  const script = 'cat "$PGDATA/PG_VERSION"';
  const args = ["exec", `deployment/${deployment}`, `--container=${names.postgres}`, "--pod-running-timeout=1s"];
  const answer = await settled(kubectl.run([...args, "--", "sh", "-c", script]));
  const [major] = "value" in answer ? (/^\d+/.exec(answer.value) ?? []) : [];
  return major === undefined ? undefined : Number(major);
}

/** Runs the Job, and returns the version that it prints. A Job that fails is kept for some minutes. */
async function versionOf(
  kubectl: Kubectl,
  target: PostgresImageTarget,
  print: (line: string) => void,
): Promise<string> {
  const name = `${names.postgresImageJob}-${randomBytes(4).toString("hex")}`;
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels: labels(names.postgresImageJob) },
    spec: postgresImageJobSpec(target.image, target.imagePullPolicy, target.placement),
  };
  await kubectl.run(["create", "--filename=-"], JSON.stringify(job));
  let items: readonly JobItem[] = [];
  const waiter: Waiter = {
    title: `Job ${name}`,
    kubectlArgs: ["describe", `job/${name}`],
    advice: "PostgreSQL keeps running with its current image. To retry, fix the error and rerun: pulumi up",
    async poll() {
      ({ items } = await kubectl.get<{ items: JobItem[] }>("jobs,pods", workloadSelector(names.postgresImageJob)));
      return evaluateJob(name, items, postgresImageContainerName);
    },
  };
  await waitFor(kubectl, { ...target, name }, waiter, print);
  await kubectl.run(["delete", "job", name, "--ignore-not-found", "--wait=false"]);
  const statuses = jobOf(name, items).pods.flatMap(({ status }) => status.containerStatuses ?? []);
  const status = statuses.find((status) => status.name === postgresImageContainerName);
  return status?.state?.terminated?.message?.trim() ?? "";
}
