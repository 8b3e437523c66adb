import { names } from "../manifests/names.ts";
import type { Kubectl } from "./kubectl.ts";
import { answerIn, answerMark, podProgram, pythonCommand } from "./pod-program.ts";

/** What the database is asked. Constants of the program, never a user's words. */
export interface Query {
  /** Without it there is no answer. */
  readonly table: string;
  /** A query of one row and one column, whose value is JSON without line breaks. */
  readonly query: string;
}

/** What asking led to: the value, `null` where there is no such table; or what kept it away. */
export type Answer = { readonly value: unknown } | { readonly cause: string };

/** What each workload that was asked said, in the order of asking: the last one answers if any does. */
export type Answers = readonly (Answer & { readonly workload: string })[];

/** A program that prints the answer, in a transaction that can't write. */
const askByPython = ({ table, query }: Query) =>
  podProgram(`
import sys
from connection import MARK, connect, describe
try:
    cursor = connect().cursor()
    cursor.execute("SET TRANSACTION READ ONLY")
    cursor.execute("SET LOCAL statement_timeout = 5000")
    cursor.execute("SELECT to_regclass('${table}') IS NOT NULL")
    answer = "null"
    if cursor.fetchone()[0]:
        cursor.execute("""SELECT (${query})::text""")
        answer = cursor.fetchone()[0]
    print(MARK + answer, flush=True)
except Exception as error:
    sys.exit(describe(error))
`);

/** The same for psql. */
const askByPsql = ({ table, query }: Query) => `
BEGIN TRANSACTION READ ONLY;
SET LOCAL statement_timeout = 5000;
SELECT to_regclass('${table}') IS NOT NULL AS present \\gset
\\if :present
SELECT '${answerMark}' || (${query})::text;
\\else
SELECT '${answerMark}null';
\\endif
`;

/** A pod that can be asked, and how. */
interface Source {
  readonly workload: string;
  readonly command: readonly string[];
  readonly script: (question: Query) => string;
}

const python = { command: pythonCommand(), script: askByPython };
const postgres: Source = {
  workload: names.postgres,
  command: ["psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", "-U", names.databaseOwner, "-d", names.database],
  script: askByPsql,
};

/**
 * Asks the database by way of the pods, one after the other until one answers: read-only, with the credentials that only
 * pods have. It never fails: what can't be asked is part of the answer.
 *
 * @param owned Whether the stack has a PostgreSQL of its own: it is asked first, as psql takes half of Python's time.
 * @param seconds How long each pod may take.
 * @param container The one to ask in, if not the pod's default.
 * @param backend Name of the app's Deployment, and of its container.
 */
export async function queryDatabase(
  kubectl: Kubectl,
  owned: boolean,
  question: Query,
  seconds: number,
  container?: string,
  backend: string = names.backend,
): Promise<Answers> {
  const app = { workload: backend, ...python };
  const answers: (Answer & { workload: string })[] = [];
  for (const source of owned ? [postgres, app] : [app]) {
    const answer = await settled(ask(kubectl, source, question, seconds, container));
    answers.push({ workload: source.workload, ...answer });
    if ("value" in answer) break;
  }
  return answers;
}

/** The answer to a question whose lack is an error. @throws {Error} With what each pod said. */
export async function queryDatabaseOrThrow(
  kubectl: Kubectl,
  owned: boolean,
  question: Query,
  seconds: number,
  backend?: string,
): Promise<unknown> {
  const answers = await queryDatabase(kubectl, owned, question, seconds, undefined, backend);
  const answered = answers.find((answer) => "value" in answer);
  if (answered !== undefined) return answered.value;
  throw new Error(answers.flatMap((each) => ("cause" in each ? [`${each.workload}: ${each.cause}`] : [])).join("; "));
}

/** @returns The value of a promise, or what went wrong as one line. */
export async function settled<T>(question: Promise<T>): Promise<{ readonly value: T } | { readonly cause: string }> {
  return question.then(
    (value) => ({ value }),
    (error: unknown) => ({ cause: causeOf(error) }),
  );
}

/** @returns The value that a program in a workload's pod prints, whatever the image prints besides. */
async function ask(
  kubectl: Kubectl,
  { workload, command, script }: Source,
  question: Query,
  seconds: number,
  container?: string,
): Promise<unknown> {
  // In the pod's default container: those that were set up by hand have other names than ours.
  const named = container === undefined ? [] : [`--container=${container}`];
  const target = [`deployment/${workload}`, ...named, "--pod-running-timeout=1s"];
  const args = ["exec", "--stdin", ...target, "--", ...command];
  const output = await kubectl.run(args, script(question), seconds, (text) => answerIn(text) !== undefined);
  const answer = answerIn(output);
  if (answer !== undefined) return JSON.parse(answer);
  throw new Error(`${workload} answered ${output.slice(0, 200)}`);
}

/** @returns What went wrong as one line. */
function causeOf(reason: unknown): string {
  const text = reason instanceof Error ? reason.message : String(reason);
  const lines = text.split("\n").filter((line) => !/^([EIW]\d{4} |Defaulted container|command terminated)/.test(line));
  return [...new Set(lines.length > 0 ? lines : [text])].join(" ").replaceAll(/\s+/g, " ").trim().slice(0, 500);
}
