import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../paths.ts";

/** Source of Python modules by name. */
export type Modules = Readonly<Record<string, string>>;

/** Prefix of the line with a program's answer: an image may print lines of its own. */
export const answerMark = "alembic-answer ";

/**
 * Statements at the start of each transaction of ours. In another schema than PostgreSQL's own, a role that may create
 * objects could add a function or an operator that matches an argument better, and that would run with our rights.
 * Unless it is listed, `pg_temp` is searched first
 * (https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY). The first statement
 * keeps the schemas of the path, in which the app finds its tables; it is safe with any path.
 */
export const transactionSetup = [
  "SELECT pg_catalog.set_config('migration.schemas', pg_catalog.current_schemas(false)::pg_catalog.text, true)",
  "SET LOCAL search_path = pg_catalog, pg_temp",
] as const;

/** SQL for the schemas of the app's path, first the one where it creates tables; after {@link transactionSetup}. */
export const appSchemas = "current_setting('migration.schemas')::name[]";

const connection = readFileSync(join(import.meta.dirname, "in-pod", "connection.py"), "utf8");
const shared = ["runner_text", "runner_url", "runner_arguments", "runner_dbapi"].map(
  (name): readonly [string, string] => [name, readFileSync(join(projectRoot, "src", "runner", `${name}.py`), "utf8")],
);

/** Returns the command that runs a {@link podProgram} from standard input; arguments are limited to 128 KiB. */
export function pythonCommand(...args: readonly string[]): readonly string[] {
  return ["python", "-", ...args];
}

/**
 * Bundles a Python program, so that it needs no file in the image.
 *
 * @param main - Source of the program. It prints its answer as one line of JSON after `connection.MARK`.
 * @param modules - Modules that it imports besides `connection` (in-pod/connection.py) and what that imports, dependencies first.
 * @param input - Value of any size, which it reads as the JSON `connection.INPUT`.
 */
export function podProgram(main: string, modules: Modules = {}, input: unknown = null): string {
  const constants = `MARK = ${text(answerMark)}\nINPUT = ${text(JSON.stringify(input))}\n`;
  const load = ([name, source]: readonly [string, string]) => `load(${text(name)}, ${text(source)})\n`;
  const loaded: readonly (readonly [string, string])[] = [
    ["transaction", `SETUP = ${JSON.stringify(transactionSetup)}\n`],
    ...shared,
    ["connection", `${connection}\n${constants}`],
    ...Object.entries(modules),
  ];
  return `import sys, types
def load(name, source):
    sys.modules[name] = types.ModuleType(name)
    exec(source, sys.modules[name].__dict__)
${loaded.map(load).join("")}exec(${text(main)}, {"__name__": "__main__"})
`;
}

/** Returns a Python string literal: JSON's are the same. */
function text(value: string): string {
  return JSON.stringify(value);
}

/** Returns the JSON of the marked line; `undefined` until the line is complete. */
export function answerIn(output: string, mark = answerMark): string | undefined {
  const lines = output.split("\n").slice(0, -1);
  return lines.find((line) => line.startsWith(mark))?.slice(mark.length);
}
