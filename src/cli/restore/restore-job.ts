import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ClusterTarget, Kubectl } from "../../cluster/kubectl.ts";
import { evaluateJob, type JobItem } from "../../cluster/wait/evaluate-job.ts";
import { waitFor } from "../../cluster/wait/wait.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { labels, names, serviceAccounts } from "../../manifests/names.ts";
import {
  type RestoreJobOptions,
  type RestorePointCommand,
  restoreDeadlineSeconds,
  restoreJobSpec,
  restorePointContainerName,
  restorePointFile,
} from "../../manifests/restore-points.ts";
import { versionTableFile } from "../../manifests/runner.ts";
import { serviceAccountObject } from "../../manifests/security.ts";
import { lockFile, projectRoot } from "../../paths.ts";

/**
 * Runs a command of the restore-point script in a Job, and deletes the Job when it has succeeded.
 *
 * @param print - Receives lines of progress.
 * @returns The output of the script.
 * @throws {Error} With the cause, if the Job fails. Its log stays.
 */
export async function runRestoreJob(
  target: ClusterTarget,
  command: RestorePointCommand,
  options: RestoreJobOptions,
  print: (line: string) => void,
): Promise<string> {
  const kubectl = new Kubectl(target, { report: print });
  const name = `${names.restoreJob}-${randomBytes(4).toString("hex")}`;
  const metadata = { name, labels: labels(names.restoreJob) };
  const script = readFileSync(join(projectRoot, "src", "runner", restorePointFile), "utf8");
  const data = { [restorePointFile]: script, ...versionTableFile(readLock(lockFile).versionTable) };
  const items = [
    serviceAccountObject(serviceAccounts.migrations, names.migrateJob, options.pod?.serviceAccountAnnotations),
    { apiVersion: "v1", kind: "ConfigMap", metadata, data, immutable: true },
    { apiVersion: "batch/v1", kind: "Job", metadata, spec: restoreJobSpec(command, name, options) },
  ];
  const apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=unity-restore", "--filename=-"];
  await kubectl.run(apply, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const timeoutSeconds = restoreDeadlineSeconds(options) + 60;
  await waitFor(kubectl, { ...target, name, timeoutSeconds }, waiter(kubectl, name), print);
  const log = await kubectl.run(["logs", `job/${name}`, `--container=${restorePointContainerName}`]);
  await kubectl.run(["delete", "job,configmap", name, "--ignore-not-found", "--wait=false"]);
  return log;
}

function waiter(kubectl: Kubectl, name: string): Parameters<typeof waitFor>[2] {
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

const selector = Object.entries(labels(names.restoreJob))
  .map(([key, value]) => `${key}=${value}`)
  .join(",");
