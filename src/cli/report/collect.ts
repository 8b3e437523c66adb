import type { CheckResult } from "../../checks/result.ts";
import { cutAt } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { lockFile } from "../../paths.ts";
import { evaluate } from "../../plan/findings.ts";
import { classify, type LiveState, type Reading } from "../../plan/live-state.ts";
import { describeState } from "../../plan/state-report.ts";
import { readTables } from "../chain/schema.ts";
import { viewChain } from "../chain/view.ts";
import type { Deployed } from "../deployed/deployed.ts";
import { openDeployed } from "../deployed/open.ts";
import type { DeployedOptions } from "../deployed/options.ts";
import type { Progress } from "../progress.ts";
import { CommandError } from "../result.ts";
import { verify } from "../verify.ts";
import { known, type Part, type Report, redacted } from "./report.ts";

/** Release and database to report on. */
export interface ReportSource extends DeployedOptions {
  /**
   * Image of the backend.
   *
   * @defaultValue the stack's
   */
  readonly image?: string;
  /** Whether neither the cluster nor the stack's configuration is read. */
  readonly offline?: boolean;
}

/** The parts of a report that require a cluster and a stack. */
export interface LiveParts extends Pick<Report, "target" | "live" | "plan" | "checks" | "runs"> {
  readonly reading?: Reading;
  /** Last revision of the release, if the stack sets it. */
  readonly targetRevision?: string | undefined;
}

const offline = { missing: "the report was created with --offline" };

/** The parts of a report without a cluster. */
export const offlineParts: LiveParts = { target: null, live: offline, plan: offline, checks: offline, runs: offline };

/**
 * Collects a report. Parts that can't be read contain the reason.
 *
 * @throws {CommandError} If no context is set, or the lockfile lacks the stack's target revision.
 */
export async function collectReport(source: ReportSource, progress: Progress): Promise<Report> {
  const createdAt = new Date().toISOString();
  if (source.offline) return assembleReport(readLock(lockFile), offlineParts, createdAt);
  const deployed = await openDeployed(source, progress.note);
  return assembleReport(deployed.lock, await collectLiveParts(deployed, progress), createdAt);
}

/** Queries the database's revision first, and then collects the other parts in parallel. */
async function collectLiveParts(deployed: Deployed, progress: Progress): Promise<LiveParts> {
  const { lock, target, targetOptions, remedies } = deployed;
  const { targetRevision } = targetOptions;
  if (targetRevision !== undefined) requireRevision(lock, targetRevision);
  const live = await deployed.readState();
  const state = classify(live.reading, lock, targetOptions);
  const description = describeState(state, lock, target, targetOptions, remedies);
  const unavailable = hasNoDatabase(state) ? { missing: description.message } : undefined;
  const [plan, checks, runs] = await Promise.all([
    partOf(deployed.plan(live)),
    unavailable ?? partOf(runAllChecks(deployed, progress)),
    unavailable ?? partOf(deployed.readRuns()),
  ]);
  const { context, namespace } = target;
  return {
    target: { context, namespace, image: deployed.image ?? null },
    reading: live.reading,
    targetRevision,
    live: { value: { ...description, state } },
    plan,
    checks,
    runs,
  };
}

async function runAllChecks({ lock, checkTarget }: Deployed, progress: Progress): Promise<readonly CheckResult[]> {
  return verify(checkTarget(), lock, progress);
}

/** @throws {CommandError} If the lockfile lacks the revision. */
function requireRevision(lock: Lock, revision: string): void {
  try {
    cutAt(lock, revision);
  } catch (error) {
    throw new CommandError(messageOf(error));
  }
}

/** Whether the state rules out a query of the database. */
function hasNoDatabase(state: LiveState): boolean {
  return state.kind === "not-deployed" || (state.kind === "unreachable" && state.what === "cluster");
}

async function partOf<T>(work: Promise<T>): Promise<Part<T>> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => ({ missing: messageOf(error) }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Combines a lockfile and the parts that require a cluster. */
export async function assembleReport(lock: Lock, liveParts: LiveParts, createdAt: string): Promise<Report> {
  const { reading, targetRevision, ...parts } = liveParts;
  const state = known(parts.live)?.state;
  const approvals = known(parts.plan)?.approvals ?? [];
  const evaluated = new Map(evaluate(lock.revisions, approvals).map((revision) => [revision.id, revision]));
  const revisions = viewChain(lock, reading && state && { reading, state }).flatMap((view) => {
    const revision = evaluated.get(view.id);
    if (revision === undefined) return [];
    const { file, upgrade, downgrade, reversibleReason, findings, locks } = revision;
    return [{ ...view, file, upgrade, downgrade, reversibleReason, findings, locks }];
  });
  return redacted({
    createdAt,
    ...parts,
    heads: targetRevision === undefined ? lock.heads : [targetRevision],
    revisions,
    tables: await readTables(targetRevision === undefined ? lock : cutAt(lock, targetRevision)),
  });
}
