import { setTimeout as delay } from "node:timers/promises";
import { type Cause, tail } from "../causes.ts";
import { type Kubectl, redact } from "../kubectl.ts";
import { type Failure, Progress, type Verdict } from "./poll-result.ts";
import type { WaitTarget } from "./target.ts";

/** Something to wait for. */
export interface Awaited {
  /** What it is, as people read it. */
  readonly title: string;
  /** Looks at it once. */
  look(): Promise<Verdict>;
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
const hopeless = /forbidden|unauthorized|context .* does not exist|can't be started/i;

/** A look that the cluster did not answer. */
export function unanswered(error: unknown): Verdict {
  const message = error instanceof Error ? error.message : String(error);
  const patienceSeconds = hopeless.test(message) ? 0 : silenceSeconds;
  const cause: Cause = { key: "cluster", text: `the cluster can't be asked: ${message}`, patienceSeconds, look: [] };
  return { done: false, progress: "no answer from the cluster", causes: [cause] };
}

/**
 * Waits, and tells how far it is.
 *
 * @param tell Takes lines of progress.
 * @throws {Error} As soon as it is no use to wait on: with the cause, what kubectl shows of it, and what to do.
 */
export async function waitFor(
  kubectl: Kubectl,
  target: WaitTarget,
  awaited: Awaited,
  tell: (line: string) => void = console.log,
): Promise<void> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const progress = new Progress(target.timeoutSeconds);
  const parent = process.ppid;
  let [told, toldAt] = ["", 0];
  for (;;) {
    const verdict = await awaited.look().catch(unanswered);
    const seconds = elapsed();
    if (verdict.done) return tell(`${awaited.title}: ${verdict.progress} after ${seconds.toFixed(1)} s`);
    const failure = progress.failure(verdict, seconds);
    if (failure !== undefined) throw new Error(await explain(kubectl, target, awaited, failure, verdict, seconds));
    const { key, text } = progress.line(verdict, seconds);
    if (key !== told || seconds - toldAt >= repeatSeconds) {
      tell(`${redact(text)} (${Math.round(seconds)} s)`);
      [told, toldAt] = [key, seconds];
    }
    // The update that asked was killed: the next one waits anew.
    if (process.ppid !== parent) throw new Error("the update has ended");
    await delay(pause(seconds));
  }
}

async function explain(
  kubectl: Kubectl,
  target: WaitTarget,
  awaited: Awaited,
  failure: Failure,
  verdict: Verdict,
  seconds: number,
): Promise<string> {
  const { lines, see } = await describeFailure(kubectl, awaited, failure, verdict, seconds);
  const { context, namespace } = target;
  return [
    ...lines,
    `${awaited.advice} Mend it, then run \`pulumi up\` again.`,
    `See: kubectl --context ${context} -n ${namespace} ${see}`,
  ].join("\n");
}

/** Ends what must not go on unwatched. @returns What failed and why, as lines, and kubectl's words to see more. */
export async function describeFailure(
  kubectl: Kubectl,
  { title, giveUp, see }: Omit<Awaited, "advice" | "look">,
  { sentence, cause }: Failure,
  { progress }: Verdict,
  seconds: number,
): Promise<{ readonly lines: readonly string[]; readonly see: string }> {
  const log = cause?.log ? await kubectl.run(cause.look).catch(() => "") : "";
  const text = [cause?.text ?? "", log.trim() === "" ? "" : `The last of its log:\n${tail(log)}`];
  const ended = await giveUp?.().catch((error: unknown) => `It could not be ended: ${error}`);
  const by = cause === undefined || cause.look.length === 0 || ended !== undefined ? see : cause.look;
  const lines = [
    `${title} ${sentence} (after ${seconds.toFixed(0)} s; ${progress}).`,
    ...text.map(redact),
    ended ?? "",
  ];
  return { lines: lines.filter((line) => line !== ""), see: by.join(" ") };
}
