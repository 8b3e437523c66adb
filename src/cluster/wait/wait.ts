import { setTimeout as delay } from "node:timers/promises";
import { kubectlCommand } from "../../kubectl-command.ts";
import { printLine } from "../../printable.ts";
import { type Cause, tail } from "../causes.ts";
import { type ClusterTarget, type Kubectl, KubectlError, type KubectlErrorKind, redact } from "../kubectl.ts";
import { type Failure, type PollResult, Progress } from "./poll-result.ts";

/** Job or rollout to wait for. The state contains it, so it holds no secret. */
export interface WaitTarget extends ClusterTarget {
  /** Name of the Job or of the Deployment. */
  readonly name: string;
  readonly timeoutSeconds: number;
  /**
   * Time until a migration Job's pod has a node and its image, and init containers of its configuration have ended.
   *
   * @defaultValue timeoutSeconds
   */
  readonly startTimeoutSeconds?: number | undefined;
  /**
   * Value of the Job's name label.
   *
   * @defaultValue Unity's
   */
  readonly workload?: string | undefined;
  /**
   * Service account of the app's migrations, on which the Job's name is recorded.
   *
   * @defaultValue no record
   */
  readonly account?: string | undefined;
}

/** Object that a wait polls. */
export interface Waiter {
  /** Subject of messages, such as `Job unity-db-migrate-28cf1aedda`. */
  readonly title: string;
  /** @param seconds - Time since the wait began. */
  poll(seconds: number): Promise<PollResult>;
  /**
   * Stops what must not continue unattended.
   *
   * @returns What it did, as a sentence.
   */
  giveUp?(): Promise<string | undefined>;
  /** Sentences on what a failure leaves unchanged, and how to retry. */
  readonly advice: string;
  /** Arguments with which kubectl shows the object, used unless a cause has more specific ones. */
  readonly kubectlArgs: readonly string[];
}

/** Arguments of {@link pollUntilDone}. */
interface Polling {
  poll(seconds: number): Promise<PollResult>;
  readonly timeoutSeconds: number;
  /** Milliseconds until the next poll. */
  pause(seconds: number): number;
  /** Receives progress lines. */
  print(line: string): void;
}

/** Result of a wait; without a `failure` it is done. */
interface Outcome {
  readonly result: PollResult;
  readonly seconds: number;
  readonly failure?: Failure;
}

/** Seconds after which an unchanged line is printed again, to show that the wait is alive. */
const repeatSeconds = 30;
/** Seconds for which the cluster may be unreachable. */
const outageSeconds = 60;
/** Errors that a retry does not fix. */
const permanent: readonly KubectlErrorKind[] = ["not-installed", "unknown-context", "forbidden"];

/** Returns the result of a poll that failed. */
function unanswered(error: unknown): PollResult {
  const message = error instanceof Error ? error.message : String(error);
  const isPermanent = error instanceof KubectlError && permanent.includes(error.kind);
  const cause: Cause = {
    key: "cluster",
    text: `can't query the cluster: ${message}`,
    gracePeriodSeconds: isPermanent ? 0 : outageSeconds,
    kubectlArgs: [],
  };
  return { done: false, progress: "no response from the cluster", causes: [cause] };
}

/**
 * Polls until the result is done or can't become done, and prints progress.
 *
 * @throws {Error} If the update that runs the wait was killed; the next one waits again.
 */
export async function pollUntilDone({ poll, timeoutSeconds, pause, print }: Polling): Promise<Outcome> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const progress = new Progress(timeoutSeconds);
  const parent = process.ppid;
  let [lastPrinted, lastPrintedAt] = ["", 0];
  for (;;) {
    const result = await poll(elapsed()).catch(unanswered);
    const seconds = elapsed();
    if (result.done) return { result, seconds };
    const failure = progress.failure(result, seconds);
    if (failure !== undefined) return { result, seconds, failure };
    const { key, text } = progress.line(result, seconds);
    if (key !== lastPrinted || seconds - lastPrintedAt >= repeatSeconds) {
      print(`${redact(text)} (${Math.round(seconds)}s)`);
      [lastPrinted, lastPrintedAt] = [key, seconds];
    }
    if (process.ppid !== parent) throw new Error("the update was killed");
    await delay(pause(seconds));
  }
}

/**
 * Waits for an object, and prints progress.
 *
 * @param print - Receives progress lines.
 * @throws {Error} If the object can't become done: with the cause, the command that shows more, and how to retry.
 */
export async function waitFor(
  kubectl: Kubectl,
  target: WaitTarget,
  waiter: Waiter,
  print: (line: string) => void = printLine,
): Promise<void> {
  const { result, seconds, failure } = await pollUntilDone({
    poll: (seconds) => waiter.poll(seconds),
    timeoutSeconds: target.timeoutSeconds,
    // Each poll is a kubectl of 0.1 s of CPU; most changes happen early.
    pause: (seconds) => (seconds < 15 ? 400 : 1500),
    print,
  });
  if (failure === undefined) return print(`${waiter.title}: ${result.progress} after ${seconds.toFixed(1)}s`);
  const { lines, command } = await describeFailure(kubectl, target, waiter, failure, result);
  throw new Error([...lines, waiter.advice, command].join("\n"));
}

/**
 * Gives up on an object.
 *
 * @returns The failure and its cause as lines, and a line with the command that shows more.
 */
export async function describeFailure(
  kubectl: Kubectl,
  target: ClusterTarget,
  { title, giveUp, kubectlArgs }: Pick<Waiter, "title" | "giveUp" | "kubectlArgs">,
  { message, cause }: Failure,
  { progress }: PollResult,
): Promise<{ readonly lines: readonly string[]; readonly command: string }> {
  const lines = [`${title} ${message} (${progress}).`];
  if (cause !== undefined) lines.push(redact(cause.text));
  const log = cause?.log === undefined ? "" : await kubectl.run(cause.kubectlArgs).catch(() => "");
  if (log.trim() !== "") lines.push(redact(`Last log lines:\n${tail(log)}`));
  const canceled = await giveUp?.().catch((error: unknown) => `Failed to cancel it: ${error}`);
  if (canceled !== undefined) lines.push(canceled);
  const isSpecific = cause !== undefined && cause.kubectlArgs.length > 0 && canceled === undefined;
  const args = isSpecific ? cause.kubectlArgs : kubectlArgs;
  return { lines, command: `For details, run: ${kubectlCommand(target)} ${args.join(" ")}` };
}
