import { elapsedText, startProgress } from "../../src/cli/progress.ts";

/** Says what a step is doing now: a few words. */
export type Say = (what: string) => void;

/**
 * Shows on standard error that a long step goes on, and how it ended.
 * @returns What `work` returns.
 */
export async function withProgress<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const started = performance.now();
  const { doing, note, print, end } = startProgress(title);
  const ended = (how: string) => {
    end();
    print(`${title}: ${how} ${elapsedText(performance.now() - started)}`);
  };
  note(title);
  try {
    const result = await work(doing);
    ended("done in");
    return result;
  } catch (error) {
    ended("failed after");
    throw error;
  }
}

/** How {@link waitFor} waits. */
export interface WaitOptions {
  /** @default 60 */
  readonly timeoutSeconds?: number;
  /** Throws when waiting on is of no use. @default Never does. */
  readonly unless?: () => void;
}

/**
 * Asks again until the answer is yes.
 * @param what The thing waited for, for the message.
 * @param check Answers whether it is there; a rejection counts as no.
 * @throws If it isn't there in time, with the last rejection's message.
 */
export async function waitFor(what: string, check: () => Promise<boolean>, options: WaitOptions = {}): Promise<void> {
  const { timeoutSeconds = 60, unless } = options;
  const end = performance.now() + timeoutSeconds * 1000;
  let last = "";
  while (performance.now() < end) {
    unless?.();
    const answer = await check().catch((error: Error) => {
      last = `: ${error.message}`;
      return false;
    });
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not there after ${timeoutSeconds} s${last}`);
}
