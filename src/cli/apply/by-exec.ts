import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Kubectl, redact } from "../../cluster/kubectl.ts";
import { answerIn, answerMark, podProgram, pythonCommand } from "../../cluster/pod-program.ts";
import { newestServingPod } from "../../cluster/pods.ts";
import { names } from "../../manifests/names.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Settings } from "../../settings/settings.ts";

/** Why a plan can't be carried out in the backend's pod; `null` if it can. */
export function execError(
  { restorePoint, database, databaseSecrets, applicationRole }: Settings,
  { direction, job }: Plan,
): string | null {
  if (direction === "downgrade") return "revisions would have to be undone";
  if (restorePoint !== undefined) return "the stack takes a restore point first";
  if (applicationRole !== undefined) return "the backend's role may not change the schema";
  if (database.kind === "external" && (databaseSecrets.existing || database.credentials?.migrationUrl !== undefined))
    return "migrations need the URL past the connection pooler, which the backend does not have";
  return job?.action === "attach" ? `${job.name} is running` : null;
}

/** Runs `alembic upgrade` in the backend's newest pod. @returns What it printed. @throws {Error} With the cause. */
export async function applyByExec(kubectl: Kubectl, settings: Settings, target: string): Promise<string> {
  const { lockTimeoutSeconds, statementTimeoutSeconds, deadlineSeconds } = settings.timeouts;
  const pod = await newestServingPod(kubectl, names.backend);
  const milliseconds = [lockTimeoutSeconds, statementTimeoutSeconds].map((seconds) => String(seconds * 1000));
  const args = [
    "exec",
    "--stdin",
    pod,
    `--container=${names.backend}`,
    "--",
    ...pythonCommand(target, ...milliseconds),
  ];
  const program = readFileSync(join(import.meta.dirname, "upgrade.py"), "utf8");
  const output = redact(await kubectl.run(args, podProgram(program), deadlineSeconds));
  const log = output.split("\n").filter((line) => !line.startsWith(answerMark));
  const error: unknown = JSON.parse(answerIn(output) ?? '"it gave no answer"');
  if (error !== null) throw new Error(`${log.join("\n")}${error}`);
  return log.join("\n");
}
