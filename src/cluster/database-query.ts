import { names } from "../manifests/names.ts";
import type { Kubectl } from "./kubectl.ts";
import { answerIn, answerMark, podProgram, pythonCommand } from "./pod-program.ts";

/** Query of the database. Both parts are constants of the program, never user input. */
export interface Query {
  /** Table without which the answer is `null`. */
  readonly table: string;
  /** Subquery of one row and one column, whose value is JSON without line breaks. */
  readonly query: string;
}

/** Options of a query. */
export interface QueryOptions {
  /** Whether the stack has its own PostgreSQL: it is queried first, as psql takes half of Python's time. */
  readonly owned: boolean;
  /** Time limit of each pod. */
  readonly timeoutSeconds: number;
  /**
   * Container to query from.
   *
   * @defaultValue the pod's default container: unmanaged pods have containers of other names
   */
  readonly container?: string | undefined;
  /**
   * Name of the app's Deployment.
   *
   * @defaultValue Unity's
   */
  readonly backend?: string | undefined;
}

/** Value of a query, `null` without its table; or the cause of the failure. */
export type Answer = { readonly value: unknown } | { readonly cause: string };

/** Answers of the workloads in the order in which they were queried: only the last can have a value. */
export type Answers = readonly (Answer & { readonly workload: string })[];

/** Python program that prints the answer, in a read-only transaction. */
const pythonScript = ({ table, query }: Query) =>
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
const psqlScript = ({ table, query }: Query) => `
BEGIN TRANSACTION READ ONLY;
SET LOCAL statement_timeout = 5000;
SELECT to_regclass('${table}') IS NOT NULL AS present \\gset
\\if :present
SELECT '${answerMark}' || (${query})::text;
\\else
SELECT '${answerMark}null';
\\endif
`;

/** Workload with access to the database. */
interface Source {
  readonly workload: string;
  readonly command: readonly string[];
  readonly script: (query: Query) => string;
}

const postgres: Source = {
  workload: names.postgres,
  command: ["psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", "-U", names.databaseOwner, "-d", names.database],
  script: psqlScript,
};

/**
 * Queries the database from its pods, one after another until one answers: read-only, with the credentials that only pods
 * have. It never throws: an answer may be the cause of a failure.
 */
export async function queryDatabase(kubectl: Kubectl, query: Query, options: QueryOptions): Promise<Answers> {
  const { owned, backend = names.backend } = options;
  const app: Source = { workload: backend, command: pythonCommand(), script: pythonScript };
  const answers: (Answer & { workload: string })[] = [];
  for (const source of owned ? [postgres, app] : [app]) {
    const answer = await settled(queryFrom(kubectl, source, query, options));
    answers.push({ workload: source.workload, ...answer });
    if ("value" in answer) break;
  }
  return answers;
}

/**
 * Queries the database as {@link queryDatabase} does.
 *
 * @returns The value.
 * @throws {Error} If no pod answers: with each pod's cause.
 */
export async function queryDatabaseOrThrow(kubectl: Kubectl, query: Query, options: QueryOptions): Promise<unknown> {
  const causes: string[] = [];
  for (const answer of await queryDatabase(kubectl, query, options)) {
    if ("value" in answer) return answer.value;
    causes.push(`${answer.workload}: ${answer.cause}`);
  }
  throw new Error(causes.join("; "));
}

/** Returns the value of a promise, or the cause of its rejection as one line. */
export async function settled<T>(promise: Promise<T>): Promise<{ readonly value: T } | { readonly cause: string }> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ cause: causeOf(error) }),
  );
}

/** Returns the value that a program in the workload's pod prints, ignoring what else the image prints. */
async function queryFrom(
  kubectl: Kubectl,
  { workload, command, script }: Source,
  query: Query,
  { timeoutSeconds, container }: QueryOptions,
): Promise<unknown> {
  const args = ["exec", "--stdin", `deployment/${workload}`];
  if (container !== undefined) args.push(`--container=${container}`);
  args.push("--pod-running-timeout=1s", "--", ...command);
  const output = await kubectl.run(args, script(query), timeoutSeconds, (text) => answerIn(text) !== undefined);
  const answer = answerIn(output);
  if (answer !== undefined) return JSON.parse(answer);
  throw new Error(`unexpected response: ${output.slice(0, 200)}`);
}

/** Returns an error's message as one line, without kubectl's own log lines. */
function causeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.split("\n").filter((line) => !/^([EIW]\d{4} |Defaulted container|command terminated)/.test(line));
  return [...new Set(lines.length > 0 ? lines : [text])].join(" ").replaceAll(/\s+/g, " ").trim().slice(0, 500);
}
