import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Python modules by name: their source. */
export type Modules = Readonly<Record<string, string>>;

/** What the line with a program's answer begins with: an image may print lines of its own. */
export const answerMark = "unity-answer ";

const connection = readFileSync(join(import.meta.dirname, "in-pod", "connection.py"), "utf8");

/** The command that runs a program of {@link podProgram}, which it reads from standard input. */
export function pythonCommand(...args: readonly string[]): readonly string[] {
  return ["python", "-", ...args];
}

/**
 * @param main Source of the program. It prints its answer as one line of JSON after `connection.MARK`.
 * @param modules What it imports besides `connection` (in-pod/connection.py), each after all that it imports itself.
 * @returns One Python program that needs no file in the image.
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

/** A text of JSON is one of Python. */
function text(value: string): string {
  return JSON.stringify(value);
}

/** @returns The JSON of the line that is marked; `undefined` until all of it is there. */
export function answerIn(output: string): string | undefined {
  const lines = output.split("\n").slice(0, -1);
  return lines.find((line) => line.startsWith(answerMark))?.slice(answerMark.length);
}
