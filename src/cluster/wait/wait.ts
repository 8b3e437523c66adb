import { setTimeout as delay } from "node:timers/promises";
import { type Cause, tail } from "../causes.ts";
import { type Kubectl, redact } from "../kubectl.ts";
import { type Failure, type PollResult, Progress } from "./poll-result.ts";
import type { WaitTarget } from "./target.ts";

/** Something to wait for. */
export interface Waiter {
  /** What it is, as people read it. */
  readonly title: string;
  /** Looks at it once. */
  poll(): Promise<PollResult>;
  /** Ends what must not go on unwatched. @returns What it did, as a sentence. */
  giveUp?(): Promise<string | undefined>;
  /** What still works. */
  readonly advice: string;
  /** Arguments with which kubectl shows it, where no pod tells more. */
  readonly see: readonly string[];
}

/** Milliseconds between two looks, each a kubectl of 0.1 s of CPU: often at first, when most things happen. */
function pause(seconds: number): number {
  return seconds < 15 ? 400 : 1500;
}

/** Seconds after which a line is told again: it shows that the wait is alive. */
const repeatSeconds = 30;
/** Seconds that the cluster may not answer. */
const silenceSeconds = 60;
/** What an answer says that will be the same the next time. */
const permanent = /forbidden|unauthorized|context .* does not exist|can't be started/i;

/** A look that the cluster did not answer. */
export function unanswered(error: unknown): PollResult {
  const message = error instanceof Error ? error.message : String(error);
  const patienceSeconds = permanent.test(message) ? 0 : silenceSeconds;
  const cause: Cause = { key: "cluster", text: `the cluster can't be asked: ${message}`, patienceSeconds, poll: [] };
  return { done: false, progress: "no answer from the cluster", causes: [cause] };
}

/**
 * Waits, and tells how far it is.
 *
 * @param print Takes lines of progress.
 * @throws {Error} As soon as it is no use to wait on: with the cause, what kubectl shows of it, and what to do.
 */
export async function waitFor(
  kubectl: Kubectl,
  target: WaitTarget,
  waiter: Waiter,
  print: (line: string) => void = console.log,
): Promise<void> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const progress = new Progress(target.timeoutSeconds);
  const parent = process.ppid;
  let [lastPrinted, lastPrintedAt] = ["", 0];
  for (;;) {
    const result = await waiter.poll().catch(unanswered);
    const seconds = elapsed();
    if (result.done) return print(`${waiter.title}: ${result.progress} after ${seconds.toFixed(1)} s`);
    const failure = progress.failure(result, seconds);
    if (failure !== undefined) throw new Error(await explain(kubectl, target, waiter, failure, result, seconds));
    const { key, text } = progress.line(result, seconds);
    if (key !== lastPrinted || seconds - lastPrintedAt >= repeatSeconds) {
      print(`${redact(text)} (${Math.round(seconds)} s)`);
      [lastPrinted, lastPrintedAt] = [key, seconds];
    }
    // The update that asked was killed: the next one waits anew.
    if (process.ppid !== parent) throw new Error("the update has ended");
    await delay(pause(seconds));
  }
}

async function explain(
  kubectl: Kubectl,
  target: WaitTarget,
  waiter: Waiter,
  failure: Failure,
  result: PollResult,
  seconds: number,
): Promise<string> {
  const { lines, see } = await describeFailure(kubectl, waiter, failure, result, seconds);
  const { context, namespace } = target;
  return [
    ...lines,
    `${waiter.advice} Mend it, then run \`pulumi up\` again.`,
    `See: kubectl --context ${context} -n ${namespace} ${see}`,
  ].join("\n");
}

/** Ends what must not go on unwatched. @returns What failed and why, as lines, and kubectl's words to see more. */
export async function describeFailure(
  kubectl: Kubectl,
  { title, giveUp, see }: Omit<Waiter, "advice" | "look">,
  { message, cause }: Failure,
  { progress }: PollResult,
  seconds: number,
): Promise<{ readonly lines: readonly string[]; readonly see: string }> {
  const log = cause?.log ? await kubectl.run(cause.poll).catch(() => "") : "";
  const text = [cause?.text ?? "", log.trim() === "" ? "" : `The last of its log:\n${tail(log)}`];
  const ended = await giveUp?.().catch((error: unknown) => `It could not be ended: ${error}`);
  const by = cause === undefined || cause.poll.length === 0 || ended !== undefined ? see : cause.poll;
  const lines = [`${title} ${message} (after ${seconds.toFixed(0)} s; ${progress}).`, ...text.map(redact), ended ?? ""];
  return { lines: lines.filter((line) => line !== ""), see: by.join(" ") };
}
