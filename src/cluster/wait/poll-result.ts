import type { Cause } from "../causes.ts";

/** What one look found. */
export interface PollResult {
  /** Whether what was waited for has happened. */
  readonly done: boolean;
  /** How far it is, in a few words. */
  readonly progress: string;
  /** Why it can't happen any more. Ends the wait; `causes` say more. */
  readonly failed?: string;
  /** What keeps it from happening, the worst first. */
  readonly causes: readonly Cause[];
}

/** What is said at the end of a wait that failed. */
export interface Failure {
  readonly message: string;
  /** The one thing to mend; `undefined` where nobody knows. */
  readonly cause: Cause | undefined;
}

/** Seconds after which what may mend itself is worth telling. */
const tellAfterSeconds = 5;

/** Follows what looks find over time, and says when to stop. Times are in seconds since the wait began. */
export class Progress {
  readonly #timeoutSeconds: number;
  readonly #since = new Map<string, number>();
  #last: Cause | undefined;

  constructor(timeoutSeconds: number) {
    this.#timeoutSeconds = timeoutSeconds;
  }

  /** Takes a look's verdict. @returns Why it is no use to wait on; `undefined` if it may still happen. */
  failure({ failed, causes }: PollResult, seconds: number): Failure | undefined {
    for (const key of this.#since.keys()) if (!causes.some((cause) => cause.key === key)) this.#since.delete(key);
    for (const { key } of causes) if (!this.#since.has(key)) this.#since.set(key, seconds);
    // The pod of a Job that has failed may be gone, and with it what it said.
    if (causes.length > 0) this.#last = causes[0];
    const known = causes[0] ?? (this.#last && { ...this.#last, poll: [] });
    if (failed !== undefined) return { message: `failed: ${failed}`, cause: known };
    const over = causes.find(({ key, patienceSeconds }) => this.#age(key, seconds) >= patienceSeconds);
    if (over !== undefined) return { message: "can't go on", cause: over };
    if (seconds < this.#timeoutSeconds) return undefined;
    return { message: `is not done within ${this.#timeoutSeconds} s`, cause: causes[0] };
  }

  /** @returns What to tell of a verdict, as one line, and what tells one line from the next. */
  line({ progress, causes }: PollResult, seconds: number): { readonly key: string; readonly text: string } {
    const lasting = causes.find(({ key }) => this.#age(key, seconds) >= tellAfterSeconds);
    if (lasting === undefined) return { key: progress, text: progress };
    return { key: `${progress}; ${lasting.key}`, text: `${progress}; ${oneLine(lasting.text)}` };
  }

  #age(key: string, seconds: number): number {
    return seconds - (this.#since.get(key) ?? seconds);
  }
}

/** Characters of a line of progress: the whole is in the error. */
const lineLimit = 200;

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > lineLimit ? `${line.slice(0, lineLimit)}…` : line;
}
