import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ClusterTarget, Kubectl } from "../../cluster/kubectl.ts";
import { evaluateJob, type JobItem } from "../../cluster/wait/evaluate-job.ts";
import { waitFor } from "../../cluster/wait/wait.ts";
import type { VersionTable } from "../../lockfile/version-table.ts";
import { appLabels, restoreJobName } from "../../manifests/app.ts";
import {
  type RestoreJobOptions,
  type RestorePointCommand,
  restoreDeadlineSeconds,
  restoreJobSpec,
  restorePointContainerName,
  restorePointFile,
} from "../../manifests/restore-points.ts";
import { versionTableFile } from "../../manifests/runner-files.ts";
import { serviceAccountObject } from "../../manifests/security.ts";
import { projectRoot } from "../../paths.ts";

/**
 * Runs a command of the restore-point script in a Job, and deletes the Job when it has succeeded.
 *
 * @param versionTable - Alembic's table.
 * @param print - Receives lines of progress.
 * @returns The output of the script.
 * @throws {Error} With the cause, if the Job fails. Its log stays.
 */
export async function runRestoreJob(
  target: ClusterTarget,
  command: RestorePointCommand,
  options: RestoreJobOptions,
  versionTable: VersionTable,
  print: (line: string) => void,
): Promise<string> {
  const kubectl = new Kubectl(target, { report: print });
  const { app, pod } = options;
  const name = `${restoreJobName(app)}-${randomBytes(4).toString("hex")}`;
  const labels = appLabels(app, restoreJobName(app));
  const metadata = { name, labels };
  const script = readFileSync(join(projectRoot, "src", "runner", restorePointFile), "utf8");
  const [account, accountLabels] = [app.accounts.migrations, appLabels(app, app.migrateJob)];
  const data = { [restorePointFile]: script, ...versionTableFile(versionTable) };
  const items = [
    serviceAccountObject(account, app.migrateJob, pod?.serviceAccountAnnotations, accountLabels),
    { apiVersion: "v1", kind: "ConfigMap", metadata, data, immutable: true },
    { apiVersion: "batch/v1", kind: "Job", metadata, spec: restoreJobSpec(command, name, options) },
  ];
  const apply = [
    "apply",
    "--server-side",
    "--force-conflicts",
    "--field-manager=pulumi-alembic-restore",
    "--filename=-",
  ];
  await kubectl.run(apply, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const timeoutSeconds = restoreDeadlineSeconds(options) + 60;
  await waitFor(kubectl, { ...target, name, timeoutSeconds }, waiter(kubectl, name, labels), print);
  const log = await kubectl.run(["logs", `job/${name}`, `--container=${restorePointContainerName}`]);
  await kubectl.run(["delete", "job,configmap", name, "--ignore-not-found", "--wait=false"]);
  return log;
}

function waiter(
  kubectl: Kubectl,
  name: string,
  labels: Readonly<Record<string, string>>,
): Parameters<typeof waitFor>[2] {
  const selector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  return {
    title: `Job ${name}`,
    kubectlArgs: ["describe", `job/${name}`],
    advice: "The database is unchanged. To retry, fix the error, delete the Job, and run the command again.",
    async poll() {
      const { items } = await kubectl.get<{ items: JobItem[] }>("jobs,pods", `--selector=${selector}`);
      return evaluateJob(name, items, restorePointContainerName);
    },
  };
}
