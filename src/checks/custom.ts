import { customErrors } from "./custom-shapes.ts";
import type { CheckName } from "./names.ts";

/** JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Properties of every custom check. */
interface CommonOptions {
  /**
   * Name of the result, unique among the checks.
   *
   * @defaultValue derived, such as `http /healthz`, `sql 1`, `command 1`
   */
  readonly name?: string | undefined;
  /**
   * Seconds after which the check fails, from 1 to 600.
   *
   * @defaultValue 30
   */
  readonly timeoutSeconds?: number | undefined;
}

/** Options of {@link http}. */
export interface HttpOptions extends CommonOptions {
  /**
   * Expected status. Redirects are not followed.
   *
   * @defaultValue 200
   */
  readonly status?: number | undefined;
  /**
   * Expected value in the JSON of the response's body, at a JSON pointer (RFC 6901) such as `/items/0/name`.
   *
   * @defaultValue any body
   */
  readonly json?: { readonly pointer: string; readonly value: Json } | undefined;
  /**
   * Port on the pod's loopback address.
   *
   * @defaultValue the first port of the pod's default container
   */
  readonly port?: number | undefined;
  /**
   * Name of the Deployment.
   *
   * @defaultValue the first workload
   */
  readonly workload?: string | undefined;
}

/** Check that an app responds to a GET request, sent by Python in its newest serving pod. */
export interface HttpCheck extends HttpOptions {
  readonly kind: "http";
  /** Path, with its query if it has one. */
  readonly path: string;
}

/** Options of {@link sql}. */
export type SqlOptions = CommonOptions;

/** Check that a query returns exactly some rows. It runs read-only, as the app's role and with its `search_path`. */
export interface SqlCheck extends SqlOptions {
  readonly kind: "sql";
  /** One statement that returns rows, such as a SELECT. */
  readonly query: string;
  /** The expected rows in order, each an object with a JSON value by column. */
  readonly rows: readonly { readonly [column: string]: Json }[];
}

/** Options of {@link command}. */
export interface CommandOptions extends CommonOptions {
  /**
   * Name of the Deployment.
   *
   * @defaultValue the first workload
   */
  readonly workload?: string | undefined;
  /**
   * Name of the container.
   *
   * @defaultValue the pod's default container
   */
  readonly container?: string | undefined;
  /**
   * Expected exit code.
   *
   * @defaultValue 0
   */
  readonly exitCode?: number | undefined;
  /**
   * Expected standard output, without leading and trailing whitespace.
   *
   * @defaultValue any
   */
  readonly stdout?: string | undefined;
}

/** Check that a command in an app's newest serving pod succeeds. It runs without a shell. */
export interface CommandCheck extends CommandOptions {
  readonly kind: "command";
  /** Program and arguments. */
  readonly args: readonly string[];
}

/** Check of an app's own. It is plain data, which the stack's state shows: it must contain no secret. */
export type CustomCheck = HttpCheck | SqlCheck | CommandCheck;

/**
 * Returns a check that an app responds to a GET request.
 *
 * @throws {TypeError} If an argument is invalid.
 */
export function http(path: string, options: HttpOptions = {}): HttpCheck {
  return validated({ kind: "http", path, ...options });
}

/**
 * Returns a check that a query returns exactly these rows.
 *
 * @throws {TypeError} If an argument is invalid.
 */
export function sql(query: string, expectedRows: SqlCheck["rows"], options: SqlOptions = {}): SqlCheck {
  return validated({ kind: "sql", query, rows: expectedRows, ...options });
}

/**
 * Returns a check that a command in a pod succeeds.
 *
 * @throws {TypeError} If an argument is invalid.
 */
export function command(args: readonly string[], options: CommandOptions = {}): CommandCheck {
  return validated({ kind: "command", args, ...options });
}

function validated<Check extends CustomCheck>(check: Check): Check {
  const errors = customErrors(check, check.kind);
  if (errors.length > 0) throw new TypeError(errors.join("; "));
  return check;
}

/** Check with the name of its result. */
export interface NamedCheck {
  readonly name: string;
  readonly check: CheckName | CustomCheck;
}

/** Returns checks with their names. The derived ones count the checks of a kind, named or not. */
export function nameChecks(checks: readonly (CheckName | CustomCheck)[]): readonly NamedCheck[] {
  const counts = { http: 0, sql: 0, command: 0 };
  return checks.map((check) => {
    if (typeof check === "string") return { name: check, check };
    counts[check.kind] += 1;
    return { name: check.name ?? derivedName(check, counts[check.kind]), check };
  });
}

function derivedName(check: CustomCheck, count: number): string {
  if (check.kind !== "http") return `${check.kind} ${count}`;
  const port = check.port === undefined ? "" : `:${check.port}`;
  return `http ${check.workload ?? ""}${port}${check.path}`;
}
