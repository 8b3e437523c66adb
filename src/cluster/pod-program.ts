import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Source of Python modules by name. */
export type Modules = Readonly<Record<string, string>>;

/** Prefix of the line with a program's answer: an image may print lines of its own. */
export const answerMark = "unity-answer ";

const connection = readFileSync(join(import.meta.dirname, "in-pod", "connection.py"), "utf8");

/** Returns the command that runs a {@link podProgram} from standard input. */
export function pythonCommand(...args: readonly string[]): readonly string[] {
  return ["python", "-", ...args];
}

/**
 * Bundles a Python program, so that it needs no file in the image.
 *
 * @param main - Source of the program. It prints its answer as one line of JSON after `connection.MARK`.
 * @param modules - Modules that it imports besides `connection` (in-pod/connection.py), dependencies first.
 */
export function podProgram(main: string, modules: Modules = {}): string {
  const load = ([name, source]: [string, string]) => `load(${text(name)}, ${text(source)})\n`;
  return `import sys, types
def load(name, source):
    sys.modules[name] = types.ModuleType(name)
    exec(source, sys.modules[name].__dict__)
${load(["connection", `${connection}\nMARK = ${text(answerMark)}\n`])}${Object.entries(modules).map(load).join("")}exec(${text(main)}, {"__name__": "__main__"})
`;
}

/** Returns a Python string literal: JSON's are the same. */
function text(value: string): string {
  return JSON.stringify(value);
}

/** Returns the JSON of the marked line; `undefined` until the line is complete. */
export function answerIn(output: string): string | undefined {
  const lines = output.split("\n").slice(0, -1);
  return lines.find((line) => line.startsWith(answerMark))?.slice(answerMark.length);
}
