import {
  anyText,
  integer,
  isRecord,
  objectName,
  oneOf,
  type Shape,
  shapeErrors,
  textLike,
  unknownError,
} from "../lockfile/shape.ts";
import { printable } from "../printable.ts";

const json: Shape = { expected: "a JSON value", matches: isJson };

/** Whether JSON can express a value without loss. */
function isJson(value: unknown): boolean {
  if (value === null || ["boolean", "string"].includes(typeof value)) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return Array.from(value).every(isJson); // with its gaps
  return isRecord(value) && isPlain(value) && Object.values(value).every(isJson);
}

/** Whether an object has no class, unlike dates, maps, and outputs. */
function isPlain(value: object): boolean {
  return [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

const commonShapes: Readonly<Record<string, Shape>> = {
  kind: anyText,
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
const shapes: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
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
      matches: (value) => Array.isArray(value) && Array.from(value).every((row) => isRecord(row) && isJson(row)),
    },
  },
  command: {
    ...commonShapes,
    args: {
      expected: "a list of strings that starts with a program",
      matches: (value) => Array.isArray(value) && Boolean(value[0]) && value.every((arg) => /^[^\0]*$/.test(arg)),
      items: anyText,
    },
    workload: objectName,
    container: objectName,
    exitCode: integer(0, 255),
    stdout: anyText,
  },
};

/** Properties that every check of their kind has. */
const required: readonly string[] = ["kind", "path", "query", "rows", "args"];

/** Returns the errors of a custom check. */
export function customErrors(check: object, path: string): readonly string[] {
  const given: Readonly<Record<string, unknown>> = { ...check };
  const [, known] = Object.entries(shapes).find(([kind]) => kind === given.kind) ?? [];
  if (known === undefined) return shapeErrors(given.kind, oneOf(Object.keys(shapes)), `${path}.kind`);
  const unknown = Object.keys(given)
    .filter((key) => !Object.hasOwn(known, key))
    .map((key) => unknownError(`${path}.${printable(key)}`, Object.keys(known)));
  const invalid = Object.entries(known)
    .filter(([key]) => given[key] !== undefined || required.includes(key))
    .flatMap(([key, shape]) => shapeErrors(given[key], shape, `${path}.${key}`));
  return [...unknown, ...invalid];
}
