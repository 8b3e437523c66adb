import type { Cause } from "../causes.ts";

/** State of an object at one poll. */
export interface PollResult {
  readonly done: boolean;
  /** Progress in a few words, such as `1/2 pods ready`. */
  readonly progress: string;
  /** Reason for which the object can't become done, if so. `causes` hold the details. */
  readonly failed?: string;
  /** Problems that keep the object from becoming done, worst first. */
  readonly causes: readonly Cause[];
  /** Pod of a done Job that other containers keep from completing. */
  readonly held?: HeldPod;
}

/** Pod whose deciding container has succeeded, while others, sidecars that were injected, run on or have failed. */
export interface HeldPod {
  readonly pod: string;
  /** Names of the containers that run; none if the Job has failed. */
  readonly sidecars: readonly string[];
}

/** Failure of a wait. */
export interface Failure {
  /** Predicate of the object's title, such as `timed out after 660s`. */
  readonly message: string;
  /** The problem to fix, if known. */
  readonly cause: Cause | undefined;
}

/** Age at which a cause without a grace period is printed. */
const printAfterSeconds = 5;

/** Tracks poll results over time, and decides when a wait has failed. Times are in seconds since the wait began. */
export class Progress {
  readonly #timeoutSeconds: number;
  readonly #since = new Map<string, number>();
  #last: Cause | undefined;

  constructor(timeoutSeconds: number) {
    this.#timeoutSeconds = timeoutSeconds;
  }

  /**
   * Records a poll result.
   *
   * @returns The failure; `undefined` if the object may still become done.
   */
  failure({ failed, causes }: PollResult, seconds: number): Failure | undefined {
    for (const key of this.#since.keys()) if (!causes.some((cause) => cause.key === key)) this.#since.delete(key);
    for (const { key } of causes) if (!this.#since.has(key)) this.#since.set(key, seconds);
    // The pod of a failed Job may be deleted already, and its termination message with it.
    if (causes.length > 0) this.#last = causes[0];
    const known = causes[0] ?? (this.#last && { ...this.#last, kubectlArgs: [] });
    const after = `after ${Math.round(seconds)}s`;
    if (failed !== undefined) return { message: `failed ${after}: ${failed}`, cause: known };
    const permanent = causes.find(({ key, gracePeriodSeconds }) => this.#age(key, seconds) >= gracePeriodSeconds);
    if (permanent !== undefined) return { message: `failed ${after}`, cause: permanent };
    if (seconds < this.#timeoutSeconds) return undefined;
    return { message: `timed out after ${this.#timeoutSeconds}s`, cause: causes[0] };
  }

  /** Returns a poll result as one line, with a key that stays the same while nothing new is worth printing. */
  line({ progress, causes }: PollResult, seconds: number): { readonly key: string; readonly text: string } {
    const lasting = causes.find(({ key }) => this.#age(key, seconds) >= printAfterSeconds);
    if (lasting === undefined) return { key: progress, text: progress };
    return { key: `${progress}; ${lasting.key}`, text: `${progress}; ${oneLine(lasting.text)}` };
  }

  #age(key: string, seconds: number): number {
    return seconds - (this.#since.get(key) ?? seconds);
  }
}

/** Characters of a progress line; the error contains the whole text. */
const lineLimit = 200;

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > lineLimit ? `${line.slice(0, lineLimit)}…` : line;
}
