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
const previousLine = "\u001b[A";

/** Returns whole seconds, such as `7s` or `2m5s`. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** The lines at the end of a terminal that change: one for each step that is running. */
class ChangingLines {
  /** Texts of the lines; `undefined` while a line is not shown. */
  readonly texts = new Set<() => string | undefined>();
  readonly #output: Output;
  #shown = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(): void {
    const width = (this.#output.columns ?? 80) - 1;
    const lines: string[] = [];
    for (const text of this.texts) {
      const line = text();
      if (line !== undefined) lines.push(`${clearLine}${line.slice(0, width)}`);
    }
    const cleared = this.#takeShown();
    if (cleared !== "" || lines.length > 0) this.#output.write(`${cleared}${lines.join("\n")}`);
    this.#shown = lines.length;
  }

  clear(): void {
    const cleared = this.#takeShown();
    if (cleared !== "") this.#output.write(cleared);
  }

  /** Returns the control characters that clear the shown lines. */
  #takeShown(): string {
    if (this.#shown === 0) return "";
    const cleared = clearLine + `${previousLine}${clearLine}`.repeat(this.#shown - 1);
    this.#shown = 0;
    return cleared;
  }
}

const terminals = new WeakMap<Output, ChangingLines>();

function changingLines(output: Output): ChangingLines {
  const lines = terminals.get(output) ?? new ChangingLines(output);
  terminals.set(output, lines);
  return lines;
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
  const elapsed = () => performance.now() - started;
  const line = () => `${title}: ${elapsedText(elapsed())}${now === "" ? "" : `, ${now}`}`;
  const lines = changingLines(output);
  const ownLine = () => (elapsed() < gracePeriod ? undefined : line());
  if (terminal) lines.texts.add(ownLine);
  const show = () => {
    if (terminal) lines.draw();
    else output.write(`${line()}\n`);
  };
  const timer = setInterval(show, terminal ? interval.terminal : interval.elsewhere).unref();
  const print = (text: string) => {
    lines.clear();
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
      lines.clear();
      lines.texts.delete(ownLine);
    },
  };
}
