import { readFileSync } from "node:fs";
import { join } from "node:path";
import { literal, type VersionTable, versionTableName } from "../lockfile/version-table.ts";
import { names } from "../manifests/names.ts";
import { type Kubectl, redact } from "./kubectl.ts";
import { answerIn, answerMark, appSchemas, podProgram, pythonCommand, transactionSetup } from "./pod-program.ts";

/** Query of the database. Its SQL is constant or quoted; the table's name may be the app's. */
export interface Query {
  /** Table that the query reads; without a schema, in the first one of the app's path that has the table. */
  readonly table: VersionTable;
  /** Subquery of one row and one column, whose value is JSON without line breaks. `:relation` is the table's name. */
  readonly query: string;
  /**
   * The same where the table doesn't exist.
   *
   * @defaultValue the answer is `null`
   */
  readonly withoutTable?: string;
  /**
   * Second subquery, of a JSON value. It runs last, in the same transaction, and its failure leaves the answer as it is.
   *
   * @defaultValue none
   */
  readonly more?: string;
}

/** Options of a query. */
export interface QueryOptions {
  /** Whether the stack has its own PostgreSQL: it is queried first, as psql takes half of Python's time. */
  readonly owned: boolean;
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
  /**
   * Object whose pod is queried, as kubectl names it: `pod/web-1`.
   *
   * @defaultValue the Deployment `backend`
   */
  readonly object?: string | undefined;
}

/** A value, or the cause of the failure. */
export type Outcome = { readonly value: unknown } | { readonly cause: string };

/** Value of a query, with that of its second subquery where the table exists; or the cause of the failure. */
export type Answer = { readonly value: unknown; readonly more?: Outcome } | { readonly cause: string };

/** Answers of the workloads in the order in which they were queried: only the last can have a value. */
export type Answers = readonly (Answer & { readonly workload: string })[];

/** Expression for whether reading the table `c` runs only PostgreSQL's own code, which the runner evaluates, too. */
const isPlainTable = readFileSync(join(import.meta.dirname, "..", "runner", "plain-table.sql"), "utf8")
  .replaceAll(/^--.*\n/gm, "")
  .trimEnd();

/** Returns a query for the table's quoted name, and for whether it is a plain table. */
function lookup({ table: { schema, name } }: Query): string {
  const schemas = schema === null ? appSchemas : `ARRAY[${literal(schema)}]::name[]`;
  return `
SELECT max(relation) AS relation, coalesce(bool_and(safe), false) AS safe FROM (
  SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS relation,
    (${isPlainTable}) AS safe
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = ${literal(name)} AND n.nspname = ANY (${schemas})
  ORDER BY array_position(${schemas}, n.nspname) LIMIT 1) found`;
}

const unsafe = ({ table }: Query) =>
  `${versionTableName(table)} is not a plain table: reading it could run code of its owner`;

/** Returns a Python string literal: JSON's are the same. */
const text = (value: string) => JSON.stringify(value);

const withoutTable = (query: Query) => query.withoutTable ?? "SELECT 'null'";

/** Definitions are printed under a lock on their table, which a statement such as ALTER TABLE holds until its transaction ends. */
const limitLocks = "SET LOCAL lock_timeout = '1s'";

/** Prefix of the line with the answer of the second subquery. */
const moreMark = "alembic-more ";

/** Python program that prints the answer, in a read-only transaction. */
const pythonScript = (query: Query, timeoutSeconds: number) =>
  podProgram(`
import sys
from connection import MARK, connect, describe
try:
    cursor = connect().cursor()
    cursor.execute("SET TRANSACTION READ ONLY")
    cursor.execute("SET LOCAL statement_timeout = '${timeoutSeconds}s'")
    cursor.execute(${text(lookup(query))})
    relation, safe = cursor.fetchone()
    if relation and not safe:
        sys.exit(${text(unsafe(query))})
    subquery = ${text(query.query)}.replace(":relation", relation) if relation else ${text(withoutTable(query))}
    cursor.execute(f"SELECT ({subquery})::text")
    print(MARK + cursor.fetchone()[0], flush=True)
except Exception as error:
    sys.exit(describe(error))
${query.more === undefined ? "" : pythonMore(query.more)}`);

const pythonMore = (more: string) => `
import json
try:
    if relation:
        cursor.execute(${text(limitLocks)})
        cursor.execute(${text(`SELECT (${more})::jsonb::text`)})
        print(${text(moreMark)} + '{"value": ' + cursor.fetchone()[0] + "}", flush=True)
    else:
        print(${text(`${moreMark}null`)}, flush=True)
except Exception as error:
    print(${text(moreMark)} + json.dumps({"cause": describe(error)}), flush=True)
`;

/** psql script that prints the answer, in a read-only transaction. */
export const psqlScript = (query: Query, timeoutSeconds: number) => `
BEGIN TRANSACTION READ ONLY;
${transactionSetup.map((statement) => `${statement};`).join("\n")}
SET LOCAL statement_timeout = '${timeoutSeconds}s';${lookup(query)} \\gset
\\if :safe
SELECT '${answerMark}' || (${query.query})::text;
\\elif :{?relation}
DO ${literal(`BEGIN RAISE EXCEPTION USING MESSAGE = ${literal(unsafe(query))}; END`)};
\\else
SELECT '${answerMark}' || (${withoutTable(query)})::text;
\\endif
${query.more === undefined ? "" : psqlMore(query.more)}`;

// Without the table, \\if has set no variable. An error is printed, but doesn't end psql.
const psqlMore = (more: string) => `\\unset ON_ERROR_STOP
\\if :{?relation}
${limitLocks};
SELECT '${moreMark}' || pg_catalog.jsonb_build_object('value', (${more})::jsonb)::text;
\\if :ERROR
ROLLBACK;
SELECT '${moreMark}' || pg_catalog.json_build_object('cause', :'LAST_ERROR_MESSAGE')::text;
\\endif
\\else
\\echo ${moreMark}null
\\endif
`;

/** Workload with access to the database. */
interface Source {
  readonly workload: string;
  /** @defaultValue the Deployment of that name */
  readonly object?: string | undefined;
  readonly command: readonly string[];
  /** Program on standard input, whose statements end when its kubectl does. */
  readonly script: (query: Query, timeoutSeconds: number) => string;
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
  const app: Source = { workload: backend, object: options.object, command: pythonCommand(), script: pythonScript };
  const answers: (Answer & { workload: string })[] = [];
  for (const source of owned ? [postgres, app] : [app]) {
    const answer = await settled(queryFrom(kubectl, source, query, options));
    answers.push({ workload: source.workload, ...("cause" in answer ? answer : answer.value) });
    if ("value" in answer) break;
  }
  return answers;
}

/**
 * Queries the database as {@link queryDatabase} does.
 *
 * @returns The answer of the first pod that has one.
 * @throws {Error} If no pod answers: with each pod's cause.
 */
export async function queryDatabaseOrThrow(
  kubectl: Kubectl,
  query: Query,
  options: QueryOptions,
): Promise<Extract<Answer, { readonly value: unknown }>> {
  const causes: string[] = [];
  for (const answer of await queryDatabase(kubectl, query, options)) {
    if ("value" in answer) return answer;
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

/** Returns the answer that a program in the workload's pod prints, ignoring what else the image prints. */
async function queryFrom(
  kubectl: Kubectl,
  { workload, object = `deployment/${workload}`, command, script }: Source,
  query: Query,
  { container }: QueryOptions,
): Promise<Extract<Answer, { readonly value: unknown }>> {
  const args = ["exec", "--stdin", object];
  if (container !== undefined) args.push(`--container=${container}`);
  args.push("--pod-running-timeout=1s", "--", ...command);
  const moreIn = (text: string) => (query.more === undefined ? "null" : answerIn(text, moreMark));
  const isComplete = (text: string) => answerIn(text) !== undefined && moreIn(text) !== undefined;
  const output = await kubectl.run(args, script(query, kubectl.timeoutSeconds), undefined, isComplete);
  const answer = answerIn(output);
  if (answer !== undefined) {
    const more = JSON.parse(moreIn(output) ?? '{"cause": "no response"}') as Outcome | null;
    return { value: JSON.parse(answer), ...(more && { more }) };
  }
  throw new Error(`unexpected response: ${redact(output).slice(0, 200)}`);
}

/** Returns an error's message as one line, without kubectl's own log lines. */
function causeOf(error: unknown): string {
  const text = redact(error instanceof Error ? error.message : String(error));
  const lines = text.split("\n").filter((line) => !/^([EIW]\d{4} |Defaulted container|command terminated)/.test(line));
  return [...new Set(lines.length > 0 ? lines : [text])].join(" ").replaceAll(/\s+/g, " ").trim().slice(0, 500);
}
