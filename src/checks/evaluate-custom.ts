import { isDeepStrictEqual } from "node:util";
import type { ExecResult } from "../cluster/kubectl.ts";
import { isRecord } from "../lockfile/shape.ts";
import type { CommandCheck, CustomCheck, HttpCheck, SqlCheck } from "./custom.ts";
import type { CheckFinding } from "./result.ts";
import { shortened } from "./text.ts";

/** Describes what a check expects. */
export function expectation(check: CustomCheck): string {
  if (check.kind === "sql") return JSON.stringify(check.rows);
  if (check.kind === "command") {
    const { exitCode = 0, stdout } = check;
    return `exit code ${exitCode}${stdout === undefined ? "" : `, output ${JSON.stringify(stdout.trim())}`}`;
  }
  const { status = 200, json } = check;
  return `HTTP ${status}${json === undefined ? "" : `, ${subjectOf(json)} is ${JSON.stringify(json.value)}`}`;
}

/** Returns what a JSON pointer refers to. */
function subjectOf({ pointer }: NonNullable<HttpCheck["json"]>): string {
  return pointer || "the body";
}

function findingOf(check: CustomCheck): (passed: boolean, found: string) => CheckFinding {
  return (passed, found) => ({ passed, expected: expectation(check), found: shortened(found) });
}

/** Response to a request. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Whether the body is longer than what was read. */
  readonly isCut: boolean;
}

/** Evaluates the response of an app. */
export function evaluateHttp(check: HttpCheck, answer: HttpAnswer): CheckFinding {
  const { status = 200, json } = check;
  const finding = findingOf(check);
  const actual = `HTTP ${answer.status}`;
  if (answer.status !== status) return finding(false, `${actual}: ${answer.body || "empty body"}`);
  if (json === undefined) return finding(true, actual);
  if (answer.isCut) return finding(false, `${actual}, a body of more than 1 MiB`);
  const document = parsed(answer.body);
  if (document === undefined) return finding(false, `${actual}, a body that is not JSON: ${answer.body || "empty"}`);
  const value = valueAt(document, json.pointer);
  if (value === undefined) return finding(false, `${actual}, nothing at ${json.pointer}: ${answer.body}`);
  return finding(isDeepStrictEqual(value, json.value), `${actual}, ${subjectOf(json)} is ${JSON.stringify(value)}`);
}

/** Parses JSON; `undefined` if it is invalid. */
export function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

/** Returns the value at a JSON pointer (https://www.rfc-editor.org/rfc/rfc6901); `undefined` if there is none. */
export function valueAt(document: unknown, pointer: string): unknown {
  const tokens = pointer.split("/").slice(1);
  return tokens.reduce<unknown>((value, token) => {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
    return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, document);
}

/** Evaluates the rows of a query: at most one more than expected. */
export function evaluateSql(check: SqlCheck, rows: readonly unknown[]): CheckFinding {
  const { length } = check.rows;
  const more = rows.length > length ? `more than ${length} rows: ` : "";
  return findingOf(check)(isDeepStrictEqual(rows, check.rows), more + JSON.stringify(rows));
}

/** Evaluates how a command ended. */
export function evaluateCommand(check: CommandCheck, result: ExecResult): CheckFinding {
  const { exitCode = 0, stdout } = check;
  const finding = findingOf(check);
  const actual = `exit code ${result.exitCode}`;
  if (result.exitCode !== exitCode)
    return finding(false, `${actual}: ${result.stderr.trim() || result.stdout.trim() || "no output"}`);
  if (stdout === undefined) return finding(true, actual);
  return finding(result.stdout.trim() === stdout.trim(), `${actual}, output ${JSON.stringify(result.stdout.trim())}`);
}
