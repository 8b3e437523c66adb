/** Says what a step is doing now: a few words. */
export type Say = (what: string) => void;

/** Seconds between two lines where the output is no terminal. */
const lineSeconds = 10;

/** @returns Whole seconds as `7 s` or `2 min 5 s`. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Shows on standard error that a long step goes on, for how long, and what it is doing: one line that changes on a
 * terminal, a line every ten seconds elsewhere.
 * @returns What `work` returns.
 */
export async function withProgress<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const started = performance.now();
  const terminal = process.stderr.isTTY === true;
  let doing = "";
  const line = () => `${title}: ${elapsedText(performance.now() - started)}${doing === "" ? "" : `, ${doing}`}`;
  const show = () => {
    const width = process.stderr.columns ?? 80;
    process.stderr.write(terminal ? `\r\x1b[K${line().slice(0, width - 1)}` : `${line()}\n`);
  };
  if (!terminal) process.stderr.write(`${title}\n`);
  const timer = setInterval(show, terminal ? 200 : lineSeconds * 1000);
  const clear = () => {
    clearInterval(timer);
    if (terminal) process.stderr.write("\r\x1b[K");
  };
  try {
    const result = await work((what) => {
      doing = what;
    });
    clear();
    process.stderr.write(`${title}: done in ${elapsedText(performance.now() - started)}\n`);
    return result;
  } catch (error) {
    clear();
    process.stderr.write(`${title}: failed after ${elapsedText(performance.now() - started)}\n`);
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
