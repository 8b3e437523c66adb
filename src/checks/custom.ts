import { isRecord, type Shape, shapeErrors } from "../lockfile/shape.ts";
import { printable } from "../printable.ts";
import { type CheckName, checkNames } from "./names.ts";

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
   * @defaultValue 5; for commands 10
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
   * Expected standard output, apart from spaces and line breaks at its start and its end.
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

function textLike(expected: string, pattern: RegExp): Shape {
  return { expected, matches: (value) => typeof value === "string" && pattern.test(value) };
}

function integer(from: number, to: number): Shape {
  const matches = (value: unknown) => Number.isInteger(value) && Number(value) >= from && Number(value) <= to;
  return { expected: `an integer from ${from} to ${to}`, matches };
}

const string: Shape = { expected: "a string", matches: (value) => typeof value === "string" };
const objectName = textLike("the name of an object in Kubernetes", /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);
const json: Shape = { expected: "a JSON value", matches: isJson };

/** Whether JSON can express a value without loss. */
function isJson(value: unknown): value is Json {
  if (value === null || ["boolean", "string"].includes(typeof value)) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isRecord(value) && Object.values(value).every(isJson);
}

const commonShapes: Readonly<Record<string, Shape>> = {
  kind: string,
  name: {
    expected: "one line of 1 to 100 printable characters",
    matches: (value) =>
      typeof value === "string" &&
      /^\S(.{0,98}\S)?$/.test(value) &&
      printable(value) === value &&
      !value.includes("\t"),
  },
  timeoutSeconds: integer(1, 600),
};

/** Shapes of the properties, by kind. */
const shapes: Readonly<Record<CustomCheck["kind"], Readonly<Record<string, Shape>>>> = {
  http: {
    ...commonShapes,
    path: textLike('a path of printable ASCII characters that starts with "/", without "#"', /^\/[!"$-~]{0,2000}$/),
    status: integer(100, 599),
    json: {
      expected: "an object",
      matches: isRecord,
      properties: { pointer: textLike("a JSON pointer such as /items/0", /^(\/([^/~]|~[01])*)*$/), value: json },
    },
    port: integer(1, 65535),
    workload: objectName,
  },
  sql: {
    ...commonShapes,
    query: textLike("SQL", /^[^\0]*\S[^\0]*$/),
    rows: {
      expected: "a list of objects, each with a JSON value by column",
      matches: (value) => Array.isArray(value) && value.every((row) => isRecord(row) && isJson(row)),
    },
  },
  command: {
    ...commonShapes,
    args: {
      expected: "a list of strings that starts with a program",
      matches: (value) => Array.isArray(value) && Boolean(value[0]) && value.every((arg) => /^[^\0]*$/.test(arg)),
      items: string,
    },
    workload: objectName,
    container: objectName,
    exitCode: integer(0, 255),
    stdout: string,
  },
};

const required: readonly string[] = ["kind", "path", "query", "rows", "args"];

/** Returns the errors of a custom check. */
function customErrors(check: Readonly<Record<string, unknown>> | CustomCheck, path: string): readonly string[] {
  const given: Readonly<Record<string, unknown>> = { ...check };
  const kind = Object.keys(shapes).find((each) => each === given.kind) as CustomCheck["kind"] | undefined;
  if (kind === undefined)
    return [`invalid ${path}.kind ${JSON.stringify(given.kind)}: must be one of ${Object.keys(shapes).join(", ")}`];
  const known = shapes[kind];
  const unknown = Object.keys(given)
    .filter((key) => !Object.hasOwn(known, key))
    .map((key) => `unknown ${path}.${printable(key)}: must be one of ${Object.keys(known).join(", ")}`);
  const invalid = Object.entries(known)
    .filter(([key]) => given[key] !== undefined || required.includes(key))
    .flatMap(([key, shape]) => shapeErrors(given[key], shape, `${path}.${key}`));
  return [...unknown, ...invalid];
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

/** Returns the errors of workloads and checks, which programs in some languages don't type-check. */
export function verificationErrors({ workloads, checks }: Readonly<Record<"workloads" | "checks", unknown>>) {
  const errors = [...listErrors(workloads, "workloads", (value, path) => shapeErrors(value, objectName, path))];
  const ofChecks = listErrors(checks, "checks", checkErrors);
  errors.push(...ofChecks);
  if (ofChecks.length === 0) errors.push(...duplicateNames(checks as readonly (CheckName | CustomCheck)[]));
  return errors;
}

function listErrors(
  value: unknown,
  path: string,
  errorsOf: (item: unknown, path: string) => readonly string[],
): readonly string[] {
  const list = { expected: "a non-empty list", matches: (v: unknown) => Array.isArray(v) && v.length > 0 };
  const errors = shapeErrors(value, list, path);
  return errors.length > 0
    ? errors
    : (value as unknown[]).flatMap((item, index) => errorsOf(item, `${path}[${index}]`));
}

function checkErrors(check: unknown, path: string): readonly string[] {
  if (isRecord(check)) return customErrors(check, path);
  const name: Shape = {
    expected: `a custom check or one of ${checkNames.join(", ")}`,
    matches: (value) => checkNames.some((known) => known === value),
  };
  return shapeErrors(check, name, path);
}

/** Returns the names of built-in checks among those of custom checks. */
function reservedNames(checks: readonly CustomCheck[]): readonly string[] {
  return checkNames.filter((reserved) => checks.some(({ name }) => name === reserved));
}

function duplicateNames(checks: readonly (CheckName | CustomCheck)[]): readonly string[] {
  const custom = checks.filter((check) => typeof check !== "string");
  const all = [...nameChecks(checks).map(({ name }) => name), ...reservedNames(custom)];
  const duplicates = new Set(all.filter((name, index) => all.indexOf(name) !== index));
  return [...duplicates].map((name) => `duplicate check name ${JSON.stringify(name)}: names must be unique`);
}
