/** Tells on standard error how a command gets on. */
export interface Progress {
  /** Says in a few words what is being done now; on a terminal it stands in the line that changes. */
  doing(what: string): void;
  /** Prints a line that stays. */
  print(line: string): void;
  /** Prints a line that stays, but not on a terminal, where the line that changes is enough. */
  note(line: string): void;
  /** Takes the line away that changes. */
  end(): void;
}

/** What a line of progress needs of standard error. */
type Output = Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">;

/** Milliseconds after which a terminal shows a line: what takes less needs none. */
const gracePeriod = 400;
/** Milliseconds between two changes of a terminal's line, and between two lines elsewhere. */
const interval = { terminal: 200, elsewhere: 10_000 } as const;
const clearLine = "\r\u001b[K";

/** @returns Whole seconds as `7 s` or `2 min 5 s`. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Shows on standard error that something long goes on, for how long, and what it is doing: one line that changes on a
 * terminal, a line every ten seconds elsewhere.
 *
 * @param title What goes on.
 */
export function startProgress(title: string, output: Output = process.stderr): Progress {
  const started = performance.now();
  const terminal = output.isTTY === true && process.env.TERM !== "dumb";
  let now = "";
  let shown = false;
  const elapsed = () => performance.now() - started;
  const line = () => `${title}: ${elapsedText(elapsed())}${now === "" ? "" : `, ${now}`}`;
  const show = () => {
    if (!terminal) return output.write(`${line()}\n`);
    if (elapsed() < gracePeriod) return;
    output.write(`${clearLine}${line().slice(0, (output.columns ?? 80) - 1)}`);
    shown = true;
  };
  const clear = () => {
    if (shown) output.write(clearLine);
    shown = false;
  };
  const timer = setInterval(show, terminal ? interval.terminal : interval.elsewhere).unref();
  const print = (text: string) => {
    clear();
    output.write(`${text}\n`);
  };
  return {
    doing(what) {
      now = what;
    },
    print,
    note: terminal ? () => {} : print,
    end() {
      clearInterval(timer);
      clear();
    },
  };
}
