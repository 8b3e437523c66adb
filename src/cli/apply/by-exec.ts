import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Kubectl, redact } from "../../cluster/kubectl.ts";
import type { Container } from "../../cluster/objects.ts";
import { answerIn, answerMark } from "../../cluster/pod-program.ts";
import { newestServing, podsOf } from "../../cluster/pods.ts";
import type { MigrationOptions } from "../../manifests/migrate-job.ts";
import { names } from "../../manifests/names.ts";
import { planVariableName, runnerContainer, runnerPath } from "../../manifests/runner.ts";
import { runnerConfigMapData } from "../../manifests/runner-files.ts";
import type { JobAttempt } from "../../plan/job-identity.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Settings } from "../../settings/settings.ts";

/** Returns why a plan can't be applied in the backend's pod; `null` if it can. */
export function execError(settings: Settings, { direction, job }: Plan): string | null {
  const { restorePoint, database, databaseSecrets, applicationRole, pods } = settings;
  if (direction === "downgrade") return "the plan downgrades revisions";
  if (restorePoint !== undefined) return "the stack takes a restore point first";
  if (applicationRole !== undefined) return "the backend's role can't change the schema";
  if (database.kind === "external") {
    const mayHaveMigrationUrl = databaseSecrets.existing || database.credentials?.migrationUrl !== undefined;
    if (mayHaveMigrationUrl) return "the backend lacks the migration URL, which bypasses the connection pooler";
  }
  const [own, others] = [pods.migration, pods.backend].map(({ env, envFrom, volumeMounts }) => [
    env,
    envFrom,
    volumeMounts,
  ]);
  if (!isDeepStrictEqual(own, others))
    return "the backend's pod and the migration Job's pod have different variables or mounts";
  return job?.action === "attach" ? `Job ${job.name} is running` : null;
}

/** Pod to migrate in, or why there is none. */
export type ExecPod = { readonly name: string } | { readonly error: string };

/**
 * Finds the pod to migrate in: the backend's newest one that serves.
 *
 * @param image - Image that the plan was made for.
 */
export async function findExecPod(kubectl: Kubectl, image: string): Promise<ExecPod> {
  const pods = await podsOf(kubectl, names.backend);
  const pod = newestServing(pods);
  if (pod === undefined) return { error: `no pod of ${names.backend} is ready (${pods.length} exist)` };
  const { name } = pod.metadata;
  const actual = pod.spec?.containers.find((container) => container.name === names.backend)?.image;
  return actual === image ? { name } : { error: `pod ${name} runs image ${actual}, but the plan is for ${image}` };
}

/**
 * Runs the runner of the migration Job in a pod of the backend, where it verifies the revision files. It ends with
 * kubectl: if that is interrupted, the open transaction is rolled back.
 *
 * @param job - Job that would run otherwise, with its plan.
 * @returns Its log.
 * @throws {Error} With the log.
 */
export async function applyByExec(
  kubectl: Kubectl,
  options: MigrationOptions,
  { plan = "" }: Pick<JobAttempt, "plan">,
  pod: string,
): Promise<string> {
  const program = readFileSync(join(import.meta.dirname, "exec_runner.py"), "utf8");
  const args = ["exec", "--stdin", pod, `--container=${names.backend}`, "--", "python", "-c", program, answerMark];
  const { deadlineSeconds } = options.timeouts;
  // The runner ends itself at the deadline, with a message.
  const output = redact(await kubectl.run(args, execInput(options, plan), deadlineSeconds + 30, undefined, true));
  const lines = output.split("\n").filter((line) => !line.startsWith(answerMark));
  const log = lines.join("\n").trim();
  const code = answerIn(output);
  if (code !== "0") throw new Error(code === undefined ? `${log}\nthe runner's result is unknown` : log);
  return log;
}

/** Returns the input of `exec_runner.py`: what the migration Job runs. */
function execInput(options: MigrationOptions, plan: string): string {
  // The names of its ConfigMap and its Secret are of no use here: the pod has the backend's variables.
  const container = runnerContainer("upgrade", { ...options, configMapName: "" }, options.targetRevision) as Container;
  const [, ...args] = [...(container.command ?? []), ...(container.args ?? []), "--termination-log=/dev/null"];
  const values = (container.env ?? []).filter(({ value }) => value !== undefined);
  const payload = {
    files: runnerConfigMapData(options),
    command: args.map((arg) => arg.replace(runnerPath, "{folder}")),
    environment: { ...Object.fromEntries(values.map(({ name, value }) => [name, value])), [planVariableName]: plan },
  };
  return `${JSON.stringify(payload)}\n`;
}
