import { printable } from "../printable.ts";

/** Progress of a command on standard error. */
export interface Progress {
  /** Sets the current step, which the progress line shows. */
  doing(step: string): void;
  /** Prints a permanent line. */
  print(line: string): void;
  /** Prints a permanent line, except on a terminal, which shows the progress line. */
  note(line: string): void;
  /** Removes the progress line. */
  end(): void;
}

/** The members of standard error that progress uses. */
type Output = Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">;

/** Milliseconds before a terminal shows the progress line. */
const gracePeriod = 400;
/** Milliseconds between updates of the progress line on a terminal, and between lines on other outputs. */
const interval = { terminal: 200, log: 10_000 } as const;
const clearLine = "\r\u001b[K";
const previousLine = "\u001b[A";

/** Returns whole seconds, such as `7s` or `2m5s`. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** Progress lines at the end of a terminal, one for each running task. */
class ProgressLines {
  /** Texts of the lines; `undefined` while a line is hidden. */
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

const terminals = new WeakMap<Output, ProgressLines>();

function progressLines(output: Output): ProgressLines {
  const lines = terminals.get(output) ?? new ProgressLines(output);
  terminals.set(output, lines);
  return lines;
}

/**
 * Shows the elapsed time and the current step of a task: in a progress line on a terminal, otherwise in a line every
 * ten seconds.
 *
 * @param title - Name of the task.
 */
export function startProgress(title: string, output: Output = process.stderr): Progress {
  const started = performance.now();
  const terminal = output.isTTY === true && process.env.TERM !== "dumb";
  let step = "";
  const elapsed = () => performance.now() - started;
  const line = () => printable(`${title}: ${elapsedText(elapsed())}${step === "" ? "" : `, ${step}`}`);
  const lines = progressLines(output);
  const ownLine = () => (elapsed() < gracePeriod ? undefined : line());
  if (terminal) lines.texts.add(ownLine);
  const show = () => {
    if (terminal) lines.draw();
    else output.write(`${line()}\n`);
  };
  const timer = setInterval(show, terminal ? interval.terminal : interval.log).unref();
  const print = (text: string) => {
    lines.clear();
    output.write(`${printable(text)}\n`);
  };
  return {
    doing(current) {
      step = current;
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
