import { setTimeout as delay } from "node:timers/promises";
import { elapsedText, startProgress } from "../../src/cli/progress.ts";
import { CanceledError, throwIfCanceled } from "./run.ts";

/** Shows in a few words what a step is doing now. */
export type Report = (status: string) => void;

/** Runs a long step, and shows on standard error that it is running and how it ended. */
export async function withProgress<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
  const started = performance.now();
  const { doing, note, print, end } = startProgress(title);
  const finish = (outcome: string) => {
    end();
    print(`${title}: ${outcome} ${elapsedText(performance.now() - started)}`);
  };
  note(title);
  try {
    const result = await work(doing);
    finish("done in");
    return result;
  } catch (error) {
    finish(error instanceof CanceledError ? "canceled after" : "failed after");
    throw error;
  }
}

/** Options of {@link waitFor}. */
export interface WaitOptions {
  /** @defaultValue 60 */
  readonly timeoutSeconds?: number;
  /** Called before each poll; throws to stop waiting. */
  readonly beforePoll?: () => void;
  /** Cancels the wait. */
  readonly signal?: AbortSignal;
}

/**
 * Polls until a condition holds.
 *
 * @param subject - Name of the condition, for the error message.
 * @param poll - Whether the condition holds; a rejection counts as `false`.
 * @throws If the condition does not hold in time, with the message of the last rejection.
 */
export async function waitFor(subject: string, poll: () => Promise<boolean>, options: WaitOptions = {}): Promise<void> {
  const { timeoutSeconds = 60, beforePoll, signal } = options;
  const deadline = performance.now() + timeoutSeconds * 1000;
  let lastError = "";
  while (performance.now() < deadline) {
    throwIfCanceled(signal);
    beforePoll?.();
    try {
      if (await poll()) return;
    } catch (error) {
      lastError = `: ${(error as Error).message}`;
    }
    await delay(50);
  }
  throw new Error(`timed out after ${timeoutSeconds}s waiting for ${subject}${lastError}`);
}
