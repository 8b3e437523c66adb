import type { ColumnStatistics } from "../../../cluster/table-statistics.ts";
import type { Column, DatabaseSchema, Table } from "../../../lockfile/database-schema/database-schema.ts";
import { literal } from "../../../lockfile/version-table.ts";

/** Statistics of a column that has none: different values, of which none is null. */
export const unknownColumn: ColumnStatistics = { nulls: 0, width: 16, distinct: -1, correlation: 1 };

/** A column whose values are generated. */
export interface GeneratedColumn {
  readonly type: string;
  readonly statistics: ColumnStatistics;
  /** Literals that the table's checks allow; empty for any value. */
  readonly allowed: readonly string[];
  /** The largest number that they allow. */
  readonly maximum?: number | undefined;
}

/** Collects what the checks of a table say about a column's values. */
export function allowedBy(table: Table | undefined, name: string): Pick<GeneratedColumn, "allowed" | "maximum"> {
  const checks = Object.values(table?.constraints ?? {}).filter(
    ({ type, columns }) => type === "check" && columns?.length === 1 && columns[0] === name,
  );
  const definitions = checks.map(({ definition }) => definition);
  const listed = definitions.find((definition) => / = (ANY|')/.test(definition)) ?? "";
  const bounds = definitions.flatMap((definition) => [...definition.matchAll(/ <=? \(?(\d+)/g)]);
  return {
    allowed: [...listed.matchAll(/'((?:[^']|'')*)'::/g)].map(([, text = ""]) => text.replaceAll("''", "'")),
    maximum: bounds.length === 0 ? undefined : Math.min(...bounds.map(([, bound]) => Number(bound))),
  };
}

/**
 * Returns an SQL expression for the value of a type with a number: the same value for the same number, and, as far as the
 * type and its width allow, another one for another number.
 *
 * @param number - SQL expression of a bigint from 1: a name, or in parentheses.
 * @returns `null` for a type without a generator.
 */
export function valueSql(column: GeneratedColumn, number: string, schema: DatabaseSchema): string | null {
  const { type, statistics, allowed, maximum } = column;
  if (allowed.length > 0)
    return `(ARRAY[${allowed.map(literal).join(", ")}])[${within(number, allowed.length)}]::${type}`;
  const limited = maximum === undefined ? number : within(number, Math.max(1, maximum - 1));
  const array = /^(.*)\[\]$/.exec(type);
  if (array !== null) {
    const item = valueSql(
      { ...column, type: array[1] ?? "", statistics: { ...statistics, width: 16 } },
      number,
      schema,
    );
    const length = Math.max(1, Math.round((statistics.width - 24) / 16));
    return item && `array_fill(${item}, ARRAY[${Math.min(length, 1000)}])`;
  }
  const labels = schema.enums[type]?.labels;
  if (labels !== undefined)
    return `(ARRAY[${labels.map(literal).join(", ")}])[${within(number, labels.length)}]::${type}`;
  const domain = schema.domains[type];
  if (domain !== undefined) {
    const base = valueSql({ ...column, type: domain.type }, number, schema);
    return base && `(${base})::${type}`;
  }
  const [, name = "", first, second] = /^([^(]+)(?:\((\d+)(?:,(\d+))?\))?/.exec(type) ?? [];
  const isText = ["character varying", "text", "character", "name"].includes(name) || /\bcitext$/.test(name);
  if (isText) return textSql(number, statistics.width - 1, first === undefined ? undefined : Number(first), type);
  switch (name) {
    case "smallint":
      return `${within(limited, 32767)}::smallint`;
    case "integer":
      return `${within(limited, 2147483647)}::integer`;
    case "bigint":
      return limited;
    case "numeric": {
      const digits = first === undefined ? 15 : Math.min(Number(first) - Number(second ?? 0), 15);
      const whole = digits > 0 ? `${within(limited, 10 ** digits - 1)}::numeric` : "0::numeric";
      return `${whole}::${type}`;
    }
    case "real":
    case "double precision":
      return `${limited}::${type}`;
    case "boolean":
      return `${number} % 2 = 0`;
    case "uuid":
      return `md5(${number}::text)::uuid`;
    case "date":
      return `date '2000-01-01' + (${within(number, 20000)})::integer`;
    case "time":
    case "time without time zone":
      return `time '00:00' + ${within(number, 86399)} * interval '1 second'`;
    case "interval":
      return `${number} * interval '1 second'`;
    case "json":
    case "jsonb":
      return `jsonb_build_object('value', ${textSql(number, statistics.width - 16, undefined, "text")})::${type}`;
    case "bytea":
      return `convert_to(${textSql(number, statistics.width - 1, undefined, "text")}, 'UTF8')`;
    case "inet":
    case "cidr":
      return `(inet '10.0.0.0' + (${within(number, 16777215)}))::${type}`;
    case "tsvector":
      return `to_tsvector('simple', ${textSql(number, statistics.width / 2, undefined, "text")})`;
  }
  if (/^timestamp\b/.test(name)) return `timestamptz '2000-01-01' + ${number} * interval '1 second'`;
  return null;
}

/** Returns the expression of a number from 1 to a limit. */
function within(number: string, limit: number): string {
  return `((${number} - 1) % ${limit} + 1)`;
}

/**
 * Returns the expression of a text. A short one is the number itself, a longer one contains a hash of it. The start is always the
 * same, as in addresses and titles: then comparing them takes longest.
 */
function textSql(number: string, width: number, limit: number | undefined, type: string): string {
  const length = Math.max(1, Math.min(Math.round(width), limit ?? 100_000));
  const cast = (sql: string) => (type === "text" ? `(${sql})` : `(${sql})::${type}`);
  if (length < 24) return cast(`lpad(to_hex(${number}), greatest(${length}, length(to_hex(${number}))), '0')`);
  const hash = `md5(${number}::text)`;
  const rest = length - 8;
  if (rest <= 1000) return cast(`'The text' || left(repeat(${hash}, ${Math.ceil(rest / 32)}), ${rest})`);
  const parts = `generate_series(1, ${Math.ceil(rest / 32)}) part`; // different ones, which can't be compressed
  return cast(`'The text' || (SELECT string_agg(md5(${number}::text || part), '') FROM ${parts})`);
}

/** Whether the values of a column are generated by PostgreSQL. */
export function isGenerated({ generated }: Column): boolean {
  return generated !== undefined;
}
