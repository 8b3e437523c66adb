import { type Kubectl, redact } from "../../cluster/kubectl.ts";
import { migrateJob } from "../../cluster/wait/job.ts";
import { waitFor } from "../../cluster/wait/wait.ts";
import { type MigrationOptions, migration } from "../../manifests/migrate-job.ts";
import { labels, names, serviceAccounts } from "../../manifests/names.ts";
import { restorePointsClaimSpec } from "../../manifests/restore-points.ts";
import { serviceAccountObject } from "../../manifests/security.ts";
import type { JobAttempt } from "../../plan/job-identity.ts";
import type { Settings } from "../../settings/settings.ts";

/** Who owns the objects' fields, for Kubernetes: the next `pulumi up` takes them over. */
const fieldManager = "unity-apply";
/** Tells the Jobs that were made here, of which no stack knows. */
const own = ["unity/made-by", "apply"] as const;

/** The objects of `components/migration-job.ts`, as `kubectl apply` takes them. */
function objects(options: MigrationOptions, { attempt }: JobAttempt, { restorePoint }: Settings): object[] {
  const { configMapName, files, jobSpec, jobName } = migration(options);
  const metadata = (name: string) => ({ name, labels: labels(names.migrateJob) });
  const { name, labels: shared } = metadata(jobName(attempt));
  const jobMetadata = { name, labels: { ...shared, [own[0]]: own[1] } };
  const claim = restorePoint && {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadata(names.restorePoints),
    spec: restorePointsClaimSpec(restorePoint.storage),
  };
  return [
    serviceAccountObject(serviceAccounts.migrations, names.migrateJob),
    ...(claim === undefined ? [] : [claim]),
    { apiVersion: "v1", kind: "ConfigMap", metadata: metadata(configMapName), data: files, immutable: true },
    { apiVersion: "batch/v1", kind: "Job", metadata: jobMetadata, spec: jobSpec },
  ];
}

/**
 * Makes the migrate Job that `pulumi up` would make, or finds it running, and waits for it.
 *
 * @param print Takes lines of progress.
 * @returns The Job's log.
 * @throws {Error} With the cause, if it fails.
 */
export async function applyByJob(
  kubectl: Kubectl,
  settings: Settings,
  options: MigrationOptions,
  job: JobAttempt,
  print: (line: string) => void,
): Promise<string> {
  const { context, namespace, timeouts } = settings;
  const list = { apiVersion: "v1", kind: "List", items: objects(options, job, settings) };
  await kubectl.run(["apply", "--server-side", `--field-manager=${fieldManager}`, "-f", "-"], JSON.stringify(list));
  const target = { context, namespace, name: job.name, timeoutSeconds: timeouts.awaitTimeoutSeconds };
  await waitFor(kubectl, target, migrateJob(kubectl, job.name), print);
  const log = redact(await kubectl.run(["logs", `job/${job.name}`, "--all-containers"]));
  // As Pulumi does with its own: the Jobs before go once the new one is complete.
  const others = [`--selector=${own.join("=")}`, `--field-selector=metadata.name!=${job.name}`];
  await kubectl.run(["delete", "jobs", ...others, "--wait=false"]);
  return log;
}
