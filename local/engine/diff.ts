import { isObject, isSecret, type Properties, plain, type Value } from "./values.ts";

export type Path = readonly (string | number)[];
/** One property that differs; `before` or `after` is absent where the property is. */
export interface Change {
  readonly path: Path;
  readonly before?: Value;
  readonly after?: Value;
}

/** @returns A path as the CLI writes it: `spec.containers[0].image`, `metadata.labels["a.b/c"]`. */
export function formatPath(path: Path): string {
  const part = (key: string | number) =>
    typeof key === "number" ? `[${key}]` : /^[\w$-]+$/.test(key) ? `.${key}` : `["${key}"]`;
  return path.map(part).join("").replace(/^\./, "");
}

/** @returns What differs between two values; secrets as a whole. */
export function diff(before: Value | undefined, after: Value | undefined, path: Path = []): Change[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined || after === undefined) return [{ path, before, after }];
  if (isSecret(before) || isSecret(after))
    return diff(plain(before), plain(after), path).length > 0 ? [{ path, before, after }] : [];
  if (Array.isArray(before) && Array.isArray(after))
    return Array.from({ length: Math.max(before.length, after.length) }, (_, index) =>
      diff(before[index], after[index], [...path, index]),
    ).flat();
  if (isObject(before) && isObject(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      diff(before[key], after[key], [...path, key]),
    );
  return before === after ? [] : [{ path, before, after }];
}

/** @returns `live` cut down to the shape of `inputs`: what we said, without what the server added. */
export function prune(live: Value | undefined, inputs: Value): Value | undefined {
  const [was, shape] = [live === undefined ? live : plain(live), plain(inputs)];
  if (Array.isArray(was) && Array.isArray(shape))
    return was.map((item, index) => (shape[index] === undefined ? item : (prune(item, shape[index]) ?? null)));
  if (!isObject(was) || !isObject(shape)) return was;
  const kept = Object.entries(shape).map(([key, item]) => [key, prune(was[key], item)] as const);
  return Object.fromEntries(kept.filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

/** @returns Whether one of `parts` leads to `path`, or to what it is in. */
export function isWithin(path: Path, parts: readonly Path[]): boolean {
  return parts.some((part) => part.every((key, index) => key === path[index]));
}

/** @returns `to` with what `from` has at `paths`, or has not. */
export function taken(from: Properties, to: Properties, paths: readonly Path[]): Properties {
  return paths.reduce((made, path) => takenAt(from, made, path), to);
}

function takenAt(from: Properties, to: Properties, [key = "", ...rest]: Path): Properties {
  const before = from[key];
  const { [key]: now, ...others } = to;
  if (rest.length > 0 && isObject(now)) return { ...to, [key]: takenAt(isObject(before) ? before : {}, now, rest) };
  if (rest.length > 0) return to;
  return before === undefined ? others : { ...others, [key]: before };
}
