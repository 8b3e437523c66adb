import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Kubectl, redact } from "../../cluster/kubectl.ts";
import { answerIn, answerMark, podProgram, pythonCommand } from "../../cluster/pod-program.ts";
import { newestServingPod } from "../../cluster/pods.ts";
import { names } from "../../manifests/names.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Settings } from "../../settings/settings.ts";

/** Returns why a plan can't be applied in the backend's pod; `null` if it can. */
export function execError(settings: Settings, { direction, job }: Plan): string | null {
  const { restorePoint, database, databaseSecrets, applicationRole } = settings;
  if (direction === "downgrade") return "the plan downgrades revisions";
  if (restorePoint !== undefined) return "the stack takes a restore point first";
  if (applicationRole !== undefined) return "the backend's role can't change the schema";
  if (database.kind === "external") {
    const mayHaveMigrationUrl = databaseSecrets.existing || database.credentials?.migrationUrl !== undefined;
    if (mayHaveMigrationUrl) return "the backend lacks the migration URL, which bypasses the connection pooler";
  }
  return job?.action === "attach" ? `Job ${job.name} is running` : null;
}

/**
 * Runs `alembic upgrade` in the backend's newest pod.
 *
 * @returns Its log.
 * @throws {Error} With the log and the cause.
 */
export async function applyByExec(kubectl: Kubectl, settings: Settings, target: string): Promise<string> {
  const { lockTimeoutSeconds, statementTimeoutSeconds, deadlineSeconds } = settings.timeouts;
  const pod = await newestServingPod(kubectl, names.backend);
  const milliseconds = [lockTimeoutSeconds, statementTimeoutSeconds].map((seconds) => String(seconds * 1000));
  const command = pythonCommand(target, ...milliseconds);
  const args = ["exec", "--stdin", pod, `--container=${names.backend}`, "--", ...command];
  const program = readFileSync(join(import.meta.dirname, "upgrade.py"), "utf8");
  const output = redact(await kubectl.run(args, podProgram(program), deadlineSeconds));
  const lines = output.split("\n").filter((line) => !line.startsWith(answerMark));
  const log = lines.join("\n");
  const error: unknown = JSON.parse(answerIn(output) ?? '"no result"');
  if (error !== null) throw new Error(`${log}${error}`);
  return log;
}
