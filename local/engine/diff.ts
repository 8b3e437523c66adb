import { isObject, isSecret, type Properties, plain, type Value } from "./values.ts";

export type Path = readonly (string | number)[];

/** A property that differs; `before` or `after` is absent where the property is. */
export interface Change {
  readonly path: Path;
  readonly before?: Value;
  readonly after?: Value;
}

/** Formats a path as the Pulumi CLI does: `spec.containers[0].image`, `metadata.labels["a.b/c"]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[\w$-]+$/.test(key)) text += text === "" ? key : `.${key}`;
    else text += `["${key}"]`;
  }
  return text;
}

/** Returns the properties that differ; secrets differ as a whole. */
export function diff(before: Value | undefined, after: Value | undefined, path: Path = []): Change[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined || after === undefined) return [{ path, before, after }];
  if (isSecret(before) || isSecret(after))
    return diff(plain(before), plain(after), path).length > 0 ? [{ path, before, after }] : [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => diff(before[index], after[index], [...path, index])).flat();
  }
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => diff(before[key], after[key], [...path, key]));
  }
  return before === after ? [] : [{ path, before, after }];
}

/** Reduces `live` to the properties in `inputs`: what was declared, without what the server added. */
export function prune(live: Value | undefined, inputs: Value): Value | undefined {
  const value = live === undefined ? undefined : plain(live);
  const shape = plain(inputs);
  if (Array.isArray(value) && Array.isArray(shape))
    return value.map((item, index) => (shape[index] === undefined ? item : (prune(item, shape[index]) ?? null)));
  if (!isObject(value) || !isObject(shape)) return value;
  const pruned: Properties = {};
  for (const [key, item] of Object.entries(shape)) {
    const kept = prune(value[key], item);
    if (kept !== undefined) pruned[key] = kept;
  }
  return pruned;
}

/** Whether `path` is one of `parents` or below one. */
export function isWithin(path: Path, parents: readonly Path[]): boolean {
  return parents.some((parent) => parent.every((key, index) => key === path[index]));
}

/** Returns `to` with the values that `from` has at `paths`; removes those that `from` lacks. */
export function withValuesAt(to: Properties, from: Properties, paths: readonly Path[]): Properties {
  return paths.reduce((result, path) => withValueAt(result, from, path), to);
}

function withValueAt(to: Properties, from: Properties, [key = "", ...rest]: Path): Properties {
  const source = from[key];
  const { [key]: target, ...others } = to;
  if (rest.length === 0) return source === undefined ? others : { ...others, [key]: source };
  if (!isObject(target)) return to;
  return { ...to, [key]: withValueAt(target, isObject(source) ? source : {}, rest) };
}
