import { Command } from "commander";
import { checkNames } from "../../checks/names.ts";
import type { CheckResult } from "../../checks/result.ts";
import { Kubectl } from "../../cluster/kubectl.ts";
import { names } from "../../manifests/names.ts";
import { checkTarget } from "../../release-options.ts";
import type { Settings } from "../../settings.ts";
import { rollout } from "../../waits/rollout.ts";
import { waitFor } from "../../waits/wait.ts";
import { type Applied, applyPending } from "../apply/apply.ts";
import { exitCodeOf } from "../apply/command.ts";
import { exitCodes } from "../command-error.ts";
import { endWith } from "../end-with.ts";
import { addStackOptions, type StackOptions } from "../stack-options.ts";
import { withSettings } from "../stack-settings.ts";
import { describeResults } from "../verify/report.ts";
import { verify } from "../verify/verify.ts";

/** What `--json` prints. */
interface Checked {
  /** Rows of `alembic_version` before; `null` if they are not known. */
  readonly current: readonly string[] | null;
  readonly latest: string;
  readonly outcome: Applied["outcome"];
  /** How many revisions were applied. */
  readonly applied: number;
  /** The migrate Job that applied them; `null` if none had to. */
  readonly job: string | null;
  /** Why it stopped; `null` if it did not. */
  readonly error: string | null;
  /** Empty if it stopped before. */
  readonly checks: readonly CheckResult[];
}

const help = `
Exit codes:
  0  the database is at the latest revision, and all checks passed
  1  refused by the stack's rules, the migration failed, or a check did
  2  wrong usage, nothing is deployed, or the cluster or the database can't be asked`;

const say = (line: string) => process.stderr.write(`${line}\n`);

/** @returns The command `unity check`. */
export function checkProgram(): Command {
  return addStackOptions(new Command("check"))
    .description("Show the current and the latest revision, apply what is pending by the migrate Job, and verify.")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (options: StackOptions & { readonly json?: boolean }) => {
      const { checked, exitCode } = await withSettings(options, check);
      await endWith(options.json ? JSON.stringify(checked, null, 2) : describe(checked), exitCode);
    });
}

async function check(settings: Settings): Promise<{ readonly checked: Checked; readonly exitCode: number }> {
  const { loadRelease } = await import("../../release.ts");
  const release = loadRelease(settings);
  const result = await applyPending(settings, release, "job", say);
  const { outcome, from, target, pending, job, text } = result;
  const stopped = exitCodeOf(result) !== exitCodes.success;
  const checked = {
    current: from,
    latest: target,
    outcome,
    applied: outcome === "applied" ? (pending ?? 0) : 0,
    job,
    error: stopped ? text : null,
  };
  if (stopped) return { checked: { ...checked, checks: [] }, exitCode: exitCodeOf(result) };
  const since = performance.now();
  if (outcome === "applied") await backendReady(settings);
  // Until now the backend may have missed tables, and said so.
  const recentSeconds = outcome === "applied" ? Math.ceil((performance.now() - since) / 1000) + 1 : undefined;
  const checks = await verify({ ...checkTarget(settings, release), recentSeconds }, checkNames);
  const passed = checks.every((each) => each.passed);
  return { checked: { ...checked, checks }, exitCode: passed ? exitCodes.success : exitCodes.differs };
}

/** Waits until the backend's pods serve, which need the database's tables for it. If they don't, the checks will say so. */
async function backendReady(settings: Settings): Promise<void> {
  const { context, namespace, rolloutTimeoutSeconds: timeoutSeconds } = settings;
  const kubectl = new Kubectl(settings);
  const target = { context, namespace, name: names.backend, timeoutSeconds };
  await waitFor(kubectl, target, await rollout(kubectl, names.backend), say).catch((error: Error) =>
    say(error.message),
  );
}

function describe({ current, latest, applied, job, error, checks }: Checked): string {
  const rows = current === null ? "not known" : current.join(", ") || "none: the database was never migrated";
  const head = [`Current: ${rows}`, `Latest:  ${latest}`];
  if (error !== null) return [...head, error].join("\n");
  const count = applied === 1 ? "1 revision" : `${applied} revisions`;
  return [
    ...head,
    job === null ? "Nothing to apply." : `Applied ${count} by Job ${job}.`,
    describeResults(checks),
  ].join("\n");
}
