/** Progress of a command on standard error. */
export interface Progress {
  /** Sets the current step, which the progress line shows. */
  doing(what: string): void;
  /** Prints a permanent line. */
  print(line: string): void;
  /** Prints a permanent line, except on a terminal, where the progress line suffices. */
  note(line: string): void;
  /** Removes the progress line. */
  end(): void;
}

type Output = Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">;

/** Milliseconds before a terminal shows a progress line. */
const gracePeriod = 400;
/** Milliseconds between updates of a terminal's progress line, and between two lines elsewhere. */
const interval = { terminal: 200, elsewhere: 10_000 } as const;
const clearLine = "\r\u001b[K";
const previousLine = "\u001b[A";

/** Returns whole seconds, such as `7s` or `2m5s`. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** The progress lines at the end of a terminal, one for each running step. */
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

/** Shows title, elapsed time, and current step: as one updated line on a terminal, otherwise as a line every 10 seconds. */
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
