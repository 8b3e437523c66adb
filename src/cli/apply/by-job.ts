import { type Kubectl, redact } from "../../cluster/kubectl.ts";
import { migrateJob } from "../../cluster/wait/job.ts";
import { waitFor } from "../../cluster/wait/wait.ts";
import { jobStartSeconds, jobWaitSeconds, type MigrationOptions, migration } from "../../manifests/migrate-job.ts";
import { labels, names, serviceAccounts } from "../../manifests/names.ts";
import { restorePointsClaimSpec } from "../../manifests/restore-points.ts";
import { serviceAccountObject } from "../../manifests/security.ts";
import type { JobAttempt } from "../../plan/job-identity.ts";
import type { Settings } from "../../settings/settings.ts";

/** Field manager of the objects. The next `pulumi up` adopts them. */
const fieldManager = "pulumi-alembic-apply";
/** Label of the Jobs that `pulumi-alembic apply` creates, which are in no stack. */
const ownLabel = { key: "pulumi-alembic/made-by", value: "apply" } as const;

/** Returns the objects of `components/migration-job.ts` for `kubectl apply`. */
function objects(options: MigrationOptions, { attempt, plan }: JobAttempt, { restorePoint }: Settings): object[] {
  const { configMapName, files, jobSpec, jobName } = migration(options);
  const shared = labels(names.migrateJob);
  const annotations = options.pod?.serviceAccountAnnotations;
  const items: object[] = [serviceAccountObject(serviceAccounts.migrations, names.migrateJob, annotations)];
  if (restorePoint !== undefined) {
    items.push({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: names.restorePoints, labels: shared },
      spec: restorePointsClaimSpec(restorePoint.storage),
    });
  }
  items.push(
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: configMapName, labels: shared },
      data: files,
      immutable: true,
    },
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: jobName(attempt), labels: { ...shared, [ownLabel.key]: ownLabel.value } },
      spec: jobSpec(plan),
    },
  );
  return items;
}

/**
 * Creates the migration Job of `pulumi up` or finds it running, and waits until it completes.
 *
 * @param print - Receives lines of progress.
 * @returns The Job's log.
 * @throws {Error} With the cause, if the Job fails.
 */
export async function applyByJob(
  kubectl: Kubectl,
  settings: Settings,
  options: MigrationOptions,
  job: JobAttempt,
  print: (line: string) => void,
): Promise<string> {
  const { context, namespace } = settings;
  const list = { apiVersion: "v1", kind: "List", items: objects(options, job, settings) };
  await kubectl.run(["apply", "--server-side", `--field-manager=${fieldManager}`, "-f", "-"], JSON.stringify(list));
  const limits = { timeoutSeconds: jobWaitSeconds(options), startTimeoutSeconds: jobStartSeconds(options) };
  const target = { context, namespace, name: job.name, ...limits };
  const waiter = migrateJob(kubectl, target);
  await waitFor(kubectl, target, waiter, print);
  const log = waiter.log() ?? redact(await kubectl.run(["logs", `job/${job.name}`, "--all-containers"]));
  // Deletes the previous Jobs once the new one is complete, as Pulumi does with its own.
  const previous = [`--selector=${ownLabel.key}=${ownLabel.value}`, `--field-selector=metadata.name!=${job.name}`];
  await kubectl.run(["delete", "jobs", ...previous, "--wait=false"]);
  return log;
}
