import { printable } from "../printable.ts";

/** The expected shape of a JSON value. */
export interface Shape {
  /** Describes the shape in messages: `must be …`. */
  readonly expected: string;
  /** Whether a value has it, apart from its properties and items. */
  readonly matches: (value: unknown) => boolean;
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly items?: Shape | undefined;
  /** Whether the value may be missing. */
  readonly optional?: true;
}

export const text: Shape = { expected: "a non-empty string", matches: (v) => typeof v === "string" && v !== "" };
export const anyText: Shape = { expected: "a string", matches: (v) => typeof v === "string" };
/** Text that is shown as it is, possibly in several lines. */
export const shown: Shape = { expected: "printable text", matches: (v) => typeof v === "string" && printable(v) === v };
export const anyLine: Shape = {
  expected: "one line of printable text",
  matches: (v) => shown.matches(v) && !/[\n\t]/.test(v as string),
};
export const line: Shape = {
  expected: "one line of printable text, not empty",
  matches: (v) => anyLine.matches(v) && v !== "",
};
export const index: Shape = integer(0);
export const finite: Shape = { expected: "a number", matches: Number.isFinite };
/** Name of a Kubernetes object. */
export const objectNamePattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
export const objectName = textLike("the name of an object in Kubernetes", objectNamePattern);

/** Whether a value is an object, but not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function integer(least: number, most = Number.POSITIVE_INFINITY): Shape {
  const expected =
    most === Number.POSITIVE_INFINITY ? `an integer from ${least}` : `an integer from ${least} to ${most}`;
  return { expected, matches: (v) => Number.isInteger(v) && (v as number) >= least && (v as number) <= most };
}

export function textLike(expected: string, pattern: RegExp): Shape {
  return { expected, matches: (v) => typeof v === "string" && pattern.test(v) };
}

export function literal(allowed: number): Shape {
  return { expected: `${allowed}`, matches: (v) => v === allowed };
}

export function oneOf(allowed: readonly string[]): Shape {
  return { expected: `one of ${allowed.join(", ")}`, matches: (v) => allowed.some((one) => one === v) };
}

export function list(items: Shape): Shape {
  return { expected: "a list", matches: Array.isArray, items };
}

/** An object whose properties all have a shape. */
export function mapOf(shape: Shape): Shape {
  const matches = (value: unknown) => isRecord(value) && Object.values(value).every((each) => fits(each, shape));
  return { expected: "an object", matches };
}

/** An object with these properties, and possibly others. */
export function object(properties: Readonly<Record<string, Shape>>): Shape {
  return { expected: "an object", matches: isRecord, properties };
}

export function nullable(shape: Shape): Shape {
  return {
    expected: `${shape.expected} or null`,
    matches: (v) => v === null || shape.matches(v),
    properties: shape.properties,
    items: shape.items,
  };
}

export function optional(shape: Shape): Shape {
  return { ...shape, optional: true };
}

/** Whether a value, with its properties and items, has a shape. Builds no messages, and is fast therefore. */
export function fits(value: unknown, shape: Shape): boolean {
  if (value === undefined) return shape.optional === true;
  if (!shape.matches(value)) return false;
  const { items, properties } = shape;
  if (items && Array.isArray(value)) return value.every((item) => fits(item, items));
  if (!properties || !isRecord(value)) return true;
  for (const key in properties) if (!fits(value[key], properties[key] as Shape)) return false;
  return true;
}

/**
 * Returns a message for each property that differs from the shape.
 *
 * @param path - Path of the value itself.
 */
export function shapeErrors(value: unknown, shape: Shape, path: string): string[] {
  return fits(value, shape) ? [] : findErrors(value, shape, path);
}

function findErrors(value: unknown, shape: Shape, path: string): string[] {
  if (value === undefined && shape.optional) return [];
  if (value === undefined || !shape.matches(value)) return [valueError(path, value, shape.expected)];
  if (shape.items && Array.isArray(value)) {
    const { items } = shape;
    return value.flatMap((item, index) => findErrors(item, items, `${path}[${index}]`));
  }
  if (shape.properties && isRecord(value)) {
    return Object.entries(shape.properties).flatMap(([key, property]) =>
      findErrors(value[key], property, `${path}.${key}`),
    );
  }
  return [];
}

/**
 * Returns the message about a value that is missing or invalid.
 *
 * @param show - Formats the value (default: as JSON, abbreviated).
 */
export function valueError(path: string, value: unknown, expected: string, show = abbreviate): string {
  if (value === undefined) return `${path} is missing: must be ${expected}`;
  return `invalid ${path} ${show(value)}: must be ${expected}`;
}

/** Returns the message about a property, or another named thing, that doesn't exist. */
export function unknownError(path: string, known: readonly string[]): string {
  return `unknown ${path}: must be one of ${known.join(", ")}`;
}

/** Formats a value in one or two words if it is a list or an object, which could contain a secret. */
export function summarize(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return isRecord(value) ? "an object" : JSON.stringify(value);
}

function abbreviate(value: unknown): string {
  const whole = JSON.stringify(value) ?? typeof value;
  return whole.length > 60 ? `${whole.slice(0, 57)}...` : whole;
}
