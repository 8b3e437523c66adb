import { checkNames } from "../../checks/names.ts";
import { Kubectl } from "../../cluster/kubectl.ts";
import { type Live, readLive } from "../../cluster/live-state.ts";
import { readRuns } from "../../cluster/run-records.ts";
import { cutAt } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { classify, describeState, type LiveState, type Reading } from "../../plan/live-state.ts";
import type { Progress } from "../progress.ts";
import { CommandError } from "../result.ts";
import { concealed, readStack, readTarget, readTargetOptions, type StackOptions, withSettings } from "../stack.ts";
import { checkTargetOf, verify } from "../verify.ts";
import type { Part, Report, ReportedPlan } from "./report.ts";

/** Which release and which database a report is about. */
export interface ReportSource extends StackOptions {
  /** The backend's image, instead of the stack's. */
  readonly image?: string;
  /** Whether no cluster is asked and no stack's file is read. */
  readonly offline?: boolean;
}

/** The parts of a report that only a cluster and a stack's file can tell. */
export interface Asked extends Pick<Report, "target" | "live" | "plan" | "checks" | "runs"> {
  readonly reading?: Reading;
  /** Where the release ends, if the stack names it. */
  readonly targetRevision?: string | undefined;
}

const offline = { missing: "the report was made with --offline, so that no cluster was asked." };

/** The parts of a report that asks nobody. */
export const notAsked: Asked = { target: null, live: offline, plan: offline, checks: offline, runs: offline };

/**
 * Asks the cluster: first where the database is, then all else at once.
 *
 * @throws {CommandError} If nothing says where to look, or the stack's target is not in the lock.
 */
export async function ask(lock: Lock, source: ReportSource, progress: Progress): Promise<Asked> {
  const { target, owned } = readTarget(source);
  const targetOptions = readTargetOptions(source);
  const { targetRevision } = targetOptions;
  if (targetRevision !== undefined) inLock(lock, targetRevision);
  const kubectl = new Kubectl(target);
  const live = await readLive(kubectl, owned);
  const state = classify(live.reading, lock, targetOptions);
  const description = describeState(state, lock, target, targetOptions);
  const silent = isSilent(state) ? { missing: description.message } : undefined;
  const [plan, checks, runs] = await Promise.all([
    partOf(planFrom(live, source)),
    silent ?? partOf(runAllChecks(source, progress)),
    silent ?? partOf(readRuns(kubectl, owned)),
  ]);
  const image = source.image ?? (readStack(source).values["unity:image"] || null);
  return {
    target: { ...target, image },
    reading: live.reading,
    targetRevision,
    live: { value: { ...description, state } },
    plan,
    checks,
    runs,
  };
}

/** @throws {CommandError} If the lock lacks the revision, with what it has. */
function inLock(lock: Lock, revision: string): void {
  try {
    cutAt(lock, revision);
  } catch (error) {
    throw new CommandError(messageOf(error));
  }
}

/** Whether nobody is there who could be asked more. */
function isSilent(state: LiveState): boolean {
  return state.kind === "not-deployed" || (state.kind === "unreachable" && state.what === "cluster");
}

async function partOf<T>(asking: Promise<T>): Promise<Part<T>> {
  return asking.then(
    (value) => ({ value }),
    (error: unknown) => ({ missing: messageOf(error) }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Plans as the program does; no plan depends on a password, so that none has to be there. */
async function planFrom(live: Live, source: ReportSource): Promise<ReportedPlan> {
  const [{ loadRelease }, { planFor }] = await Promise.all([
    import("../../preflight/release.ts"),
    import("../../preflight/preflight.ts"),
  ]);
  const image: Record<string, string> = source.image === undefined ? {} : { "unity:image": source.image };
  const secrets = { "unity:databasePassword": concealed, "unity:databaseUrl": concealed };
  return withSettings(
    source,
    (settings) => ({
      ...planFor(live, settings, loadRelease(settings)),
      approvals: settings.approvals,
    }),
    (values) => ({ ...values, ...secrets, ...image }),
  );
}

async function runAllChecks(source: ReportSource, progress: Progress) {
  return verify(checkTargetOf(source), checkNames, progress);
}
