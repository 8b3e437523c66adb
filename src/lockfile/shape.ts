/** What a JSON value must be: the sentence for people, and whether it is. */
export interface Shape {
  readonly expected: string;
  readonly matches: (value: unknown) => boolean;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
}

/** A text with something in it. */
export const text: Shape = { expected: "a text that is not empty", matches: (v) => typeof v === "string" && v !== "" };
/** A text, or an empty one. */
export const anyText: Shape = { expected: "a text", matches: (v) => typeof v === "string" };
/** A place in a list. */
export const index: Shape = {
  expected: "an integer from 0",
  matches: (v) => Number.isInteger(v) && (v as number) >= 0,
};

/** Whether a value is an object, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Exactly this number. */
export function literal(allowed: number): Shape {
  return { expected: `${allowed}`, matches: (v) => v === allowed };
}

/** One of these texts. */
export function oneOf(allowed: readonly string[]): Shape {
  return { expected: `one of ${allowed.join(", ")}`, matches: (v) => allowed.some((one) => one === v) };
}

/** A list of values of one shape. */
export function list(items: Shape): Shape {
  return { expected: "a list", matches: Array.isArray, items };
}

/** An object that has these properties, and maybe others. */
export function object(properties: Readonly<Record<string, Shape>>): Shape {
  return { expected: "an object", matches: isRecord, properties };
}

/** A value of this shape, or null. */
export function nullable(shape: Shape): Shape {
  return {
    expected: `${shape.expected} or null`,
    matches: (v) => v === null || shape.matches(v),
    properties: shape.properties,
  };
}

/** Whether a value and all that it holds have the shape: what is asked first, since it builds no path. */
function fits(value: unknown, shape: Shape): boolean {
  if (value === undefined || !shape.matches(value)) return false;
  const { items, properties } = shape;
  if (items && Array.isArray(value)) return value.every((item) => fits(item, items));
  if (!properties || !isRecord(value)) return true;
  for (const key in properties) if (!fits(value[key], properties[key] as Shape)) return false;
  return true;
}

/** @returns A sentence for each fault of a value, each with the path of the property; `path` is that of the value. */
export function shapeErrors(value: unknown, shape: Shape, path: string): string[] {
  return fits(value, shape) ? [] : findFaults(value, shape, path);
}

function findFaults(value: unknown, shape: Shape, path: string): string[] {
  if (value === undefined) return [`${path} is missing: it must be ${shape.expected}`];
  if (!shape.matches(value)) return [`${path} is ${abbreviate(value)}: it must be ${shape.expected}`];
  if (shape.items && Array.isArray(value)) {
    const { items } = shape;
    return value.flatMap((item, index) => findFaults(item, items, `${path}[${index}]`));
  }
  if (shape.properties && isRecord(value)) {
    return Object.entries(shape.properties).flatMap(([key, property]) =>
      findFaults(value[key], property, `${path}.${key}`),
    );
  }
  return [];
}

function abbreviate(value: unknown): string {
  const whole = JSON.stringify(value);
  return whole.length > 60 ? `${whole.slice(0, 57)}...` : whole;
}
