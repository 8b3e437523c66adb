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
    typeof key === "number" ? `[${key}]` : /^[\w$*-]+$/.test(key) ? `.${key}` : `["${key}"]`;
  return path.map(part).join("").replace(/^\./, "");
}

/** @returns The keys of a written path; `*` and `[*]` stand for any key. */
export function parsePath(text: string): Path {
  const parts = text.matchAll(/\["([^"]*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g);
  return [...parts].map(([, quoted, index, name]) =>
    index && index !== "*" ? Number(index) : (quoted ?? index ?? name ?? ""),
  );
}

/** @returns Whether `path` is at, below or above what `pattern` names. */
export function touches(path: Path, pattern: Path): boolean {
  return pattern.slice(0, path.length).every((key, index) => key === "*" || key === path[index]);
}

/** @returns What differs between two values, secrets and arrays of differing length as a whole. */
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

/** @returns `after` with the value of `before` at each ignored path (`ignoreChanges`). */
export function ignoreChanges(before: Properties, after: Properties, paths: readonly string[]): Properties {
  const restore = (old: Value | undefined, fresh: Value | undefined, [key, ...rest]: Path): Value | undefined => {
    if (key === undefined) return old;
    if (isSecret(old) || isSecret(fresh)) return old ?? fresh;
    if (Array.isArray(fresh)) {
      const items = Array.isArray(old) ? old : [];
      return fresh.map((item, at) => (key === "*" || key === at ? (restore(items[at], item, rest) ?? null) : item));
    }
    const [from, into] = [isObject(old) ? old : {}, isObject(fresh) ? fresh : {}];
    const keys = key === "*" ? [...new Set([...Object.keys(from), ...Object.keys(into)])] : [String(key)];
    const changed = keys.map((name) => [name, restore(from[name], into[name], rest)] as const);
    const merged = { ...into, ...Object.fromEntries(changed) };
    const kept = Object.entries(merged).filter((entry): entry is [string, Value] => entry[1] !== undefined);
    return kept.length === 0 && fresh === undefined ? undefined : Object.fromEntries(kept);
  };
  return paths.reduce<Properties>((result, path) => restore(before, result, parsePath(path)) as Properties, after);
}
