/** Values that a partition accepts, as SQL literals. */
export type PartitionBound =
  | { readonly kind: "default" }
  | { readonly kind: "hash" }
  | { readonly kind: "list"; readonly values: readonly string[] }
  /** From a value, which it includes, to another, which it doesn't; `null` without a limit. */
  | { readonly kind: "range"; readonly from: string | null; readonly to: string | null };

/** Parses the bound of a partition by one column, such as `FOR VALUES FROM (1) TO (MAXVALUE)`. */
export function partitionBound(text: string): PartitionBound {
  const tokens: readonly string[] = text.match(/'(?:[^']|'')*'|[()]|[^\s,()]+/g) ?? [];
  if (tokens.includes("DEFAULT")) return { kind: "default" };
  const lists: string[][] = [];
  const words: string[] = [];
  let isInside = false;
  for (const token of tokens) {
    if (token === "(") lists.push([]);
    else if (token !== ")") (isInside ? lists.at(-1) : words)?.push(token);
    if (token === "(" || token === ")") isInside = token === "(";
  }
  const [first = [], second = []] = lists;
  const limit = ([value]: readonly string[]) =>
    value === undefined || value === "MINVALUE" || value === "MAXVALUE" ? null : value;
  if (words.includes("IN")) return { kind: "list", values: first };
  if (words.includes("FROM")) return { kind: "range", from: limit(first), to: limit(second) };
  return { kind: "hash" };
}

/** Returns the column of a partition key such as `RANGE (at)`; `null` for an expression, or several columns. */
export function keyColumn(key: string): string | null {
  const [, quoted, plain] = /^\w+ \((?:"((?:[^"]|"")*)"|([\w$]+))(?: [^,]*)?\)$/.exec(key) ?? [];
  return quoted?.replaceAll('""', '"') ?? plain ?? null;
}

const integers = /^(smallint|integer|bigint)$/;
const numbers = /^(smallint|integer|bigint|numeric.*)$/;
const texts = /^(text|character varying.*)$/;

/** Returns how many values a bound accepts, as far as they can be counted. */
export function acceptedValues(bound: PartitionBound, type: string): number {
  if (bound.kind === "list") return Math.max(1, bound.values.length);
  if (bound.kind !== "range") return Number.POSITIVE_INFINITY;
  if (texts.test(type)) return Number.POSITIVE_INFINITY;
  const isKnown = numbers.test(type) || /^(date|timestamp\b.*)$/.test(type);
  if (!isKnown) return 1;
  const { from, to } = bound;
  if (from === null || to === null) return Number.POSITIVE_INFINITY;
  const [first, last] = [from, to].map((literal) => literal.replaceAll("'", "")) as [string, string];
  if (integers.test(type)) return Math.max(1, Number(last) - Number(first));
  if (type === "date") return Math.max(1, Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000));
  return Number.POSITIVE_INFINITY;
}

/**
 * Returns the expression of a value that a bound accepts.
 *
 * @param digit - SQL expression of a bigint from 0 to below `base`: other values for other ones.
 * @param base - At most {@link acceptedValues}.
 * @returns `null` if none can be generated.
 */
export function acceptedValue(bound: PartitionBound, type: string, digit: string, base: number): string | null {
  if (bound.kind === "list")
    return `(ARRAY[${bound.values.join(", ")}]::${type}[])[${digit} % ${bound.values.length} + 1]`;
  if (bound.kind !== "range") return null;
  const { from, to } = bound;
  if (numbers.test(type)) {
    const [first, last] = [`${from}::numeric`, `${to}::numeric`];
    if (from !== null && to !== null) return `(${first} + div((${last} - ${first}) * ${digit}, ${base}))::${type}`;
    if (from === null && to === null) return `(${digit})::${type}`;
    return from === null ? `(${last} - 1 - ${digit})::${type}` : `(${first} + ${digit})::${type}`;
  }
  const isDate = type === "date";
  if (isDate || /^timestamp\b/.test(type)) {
    const [first, last] = [`${from}::${type}`, `${to}::${type}`];
    const units = (count: string) => (isDate ? `((${count}) % 20000)::integer` : `(${count}) * interval '1 second'`);
    if (from !== null && to !== null)
      return isDate
        ? `${first} + ((${last} - ${first})::bigint * ${digit} / ${base})::integer`
        : `${first} + (${last} - ${first}) * (${digit}::float8 / ${base})`;
    if (from === null && to === null) return `'2000-01-01'::${type} + ${units(digit)}`;
    return from === null ? `${last} - ${units(`${digit} + 1`)}` : `${first} + ${units(digit)}`;
  }
  if (texts.test(type)) return `(${from ?? "''"} || lpad(to_hex(${digit}), 8, '0'))::${type}`;
  return from === null ? null : `${from}::${type}`;
}
