import type { Lock } from "../lockfile/lock.ts";
import { countedRows } from "../lockfile/measured-times.ts";
import { anyText, finite, fits, list, mapOf, nullable, object } from "../lockfile/shape.ts";
import { literal } from "../lockfile/version-table.ts";
import { type QueryOptions, queryDatabaseOrThrow } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";

/** Statistics of a column, as `ANALYZE` collects them: without any value. */
export interface ColumnStatistics {
  /** Fraction of rows that are null. */
  readonly nulls: number;
  /** Average bytes of the others. */
  readonly width: number;
  /** Number of distinct values; if negative, their fraction of the rows. */
  readonly distinct: number;
  /** Correlation of physical and logical order, from -1 to 1; `null` for a type without an order. */
  readonly correlation: number | null;
}

/** Statistics of a table, with those that inherit from it and its partitions. */
export interface TableStatistics {
  /** Estimated rows. */
  readonly rows: number;
  /** Bytes, without indexes, when it was analyzed last. */
  readonly bytes: number;
  /** Columns by name; empty if the table was never analyzed, or the role may not read it. */
  readonly columns: Readonly<Record<string, ColumnStatistics>>;
  /** Tables that it inherits from, or the one that it is a partition of, by `schema.name`. */
  readonly parents: readonly string[];
  /** The bound of a partition, such as `FOR VALUES IN ('a')`. */
  readonly bound: string | null;
  /** The key of a partitioned table, such as `RANGE (at)`. */
  readonly key: string | null;
}

/** Statistics of a database. */
export interface DatabaseStatistics {
  /** The server's version, such as `17.2`. */
  readonly postgres: string;
  /** Settings that decide how fast statements run, with their units. */
  readonly settings: Readonly<Record<string, string>>;
  /** Collation of the database, such as `en_US.utf8`. */
  readonly collation: string;
  /** Milliseconds that the server takes for {@link speedQuery}. */
  readonly speed: number;
  /** Tables by `schema.name`, as a schema of the lockfile has them. */
  readonly tables: Readonly<Record<string, TableStatistics>>;
}

/** Names of {@link DatabaseStatistics.settings}. */
const settings = ["maintenance_work_mem", "work_mem", "max_parallel_maintenance_workers", "jit"];

/**
 * Query of the milliseconds that a server takes to hash and sort 1,000 numbers. It reads no table. The best of 200 rounds counts,
 * each of which is shorter than the time slice of a process, so that other load matters little.
 */
export const speedQuery = `
  SELECT min(milliseconds) FROM generate_series(1, 200) round,
    LATERAL (SELECT clock_timestamp() AS at WHERE round > 0 OFFSET 0) started,
    LATERAL (SELECT count(hash) AS hashes FROM (
      SELECT md5(number::text || at::text) AS hash FROM generate_series(1, 1000) number ORDER BY 1 OFFSET 0) s) sorted,
    LATERAL (
      SELECT extract(epoch FROM clock_timestamp() - at)::float8 * 1000 AS milliseconds WHERE hashes > 0 OFFSET 0) ended`;

/**
 * Part of a query that selects each table with the rows and bytes of its whole tree as `counted`: from the catalogs and counters
 * only, so that it waits for no lock. `ANALYZE` may have counted the rows before most of them came, or never. The counters may
 * count rows twice that came just before it, and nothing after a crash. So they decide only if they have three times as many.
 */
const counted = `
  WITH RECURSIVE own AS MATERIALIZED (
    SELECT c.oid, relkind, CASE WHEN pg_stat_get_live_tuples(c.oid) >= 3 * reltuples THEN pg_stat_get_live_tuples(c.oid)
      ELSE reltuples END::float8 AS tuples, current_setting('block_size')::float8
      * (relpages + coalesce((SELECT relpages FROM pg_class t WHERE t.oid = c.reltoastrelid), 0)) AS bytes,
      CASE WHEN nspname ~ '[."]' THEN quote_ident(nspname) ELSE nspname::text END || '.'
        || CASE WHEN relname ~ '[."]' THEN quote_ident(relname) ELSE relname::text END AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pulumi_alembic')),
  tree (root, member) AS (
    SELECT oid, oid FROM own UNION SELECT root, inhrelid FROM tree JOIN pg_inherits ON inhparent = member),
  counted AS (
    SELECT root, coalesce(sum(tuples) FILTER (WHERE relkind = 'r'), 0) AS rows, sum(bytes) AS bytes, count(*) > 1 AS inherited
    FROM tree JOIN own ON own.oid = member GROUP BY root)`;

/**
 * Returns the query of the JSON of the rows of tables with at least {@link countedRows}, by `schema.name`.
 *
 * @param names - The tables, by `schema.name`.
 */
export function rowsQuery(names: readonly string[]): string {
  const list = `ARRAY[${names.map(literal).join(", ")}]::text[]`;
  return `${counted}
  SELECT coalesce(json_object_agg(name, round(rows)), '{}')
  FROM counted JOIN own ON own.oid = root WHERE rows >= ${countedRows} AND name = ANY (${list})`;
}

const statisticsQuery = `
  SELECT json_build_object(
    'postgres', current_setting('server_version'),
    'settings', (SELECT json_object_agg(name, current_setting(name)) FROM pg_settings
      WHERE name IN (${settings.map((name) => `'${name}'`).join(", ")})),
    'collation', (SELECT datcollate FROM pg_database WHERE datname = current_database()),
    'speed', (${speedQuery}),
    'tables', (${counted},
      stats AS (
        SELECT root, json_object_agg(attname, json_build_object('nulls', null_frac, 'width', avg_width,
          'distinct', n_distinct, 'correlation', correlation)) AS columns
        FROM counted JOIN pg_class c ON c.oid = root JOIN pg_namespace n ON n.oid = relnamespace
        JOIN pg_stats s ON s.schemaname = nspname AND s.tablename = relname AND s.inherited = counted.inherited
        GROUP BY root)
      SELECT coalesce(json_object_agg(name, json_build_object('rows', round(rows), 'bytes', counted.bytes,
        'columns', coalesce(columns, '{}'), 'bound', bound, 'key', key, 'parents', (
          SELECT coalesce(json_agg(parent.name ORDER BY inhseqno), '[]') FROM pg_inherits JOIN own parent ON parent.oid = inhparent
          WHERE inhrelid = root))), '{}')
      FROM counted JOIN own ON own.oid = root LEFT JOIN stats USING (root), LATERAL (
        SELECT CASE WHEN relispartition THEN pg_get_expr(relpartbound, oid) END AS bound, pg_get_partkeydef(oid) AS key
        FROM pg_class WHERE oid = root) partitioning))`;

const columnShape = object({ nulls: finite, width: finite, distinct: finite, correlation: nullable(finite) });
const tableShape = object({
  rows: finite,
  bytes: finite,
  columns: mapOf(columnShape),
  parents: list(anyText),
  bound: nullable(anyText),
  key: nullable(anyText),
});
const statisticsShape = object({
  postgres: anyText,
  settings: mapOf(anyText),
  collation: anyText,
  speed: finite,
  tables: mapOf(tableShape),
});

/**
 * Reads the sizes and statistics of all tables, and how fast the server sorts. No row and no value leaves the database:
 * neither most common values nor bounds of histograms are selected.
 *
 * @throws {Error} If the database can't be queried: with each pod's cause.
 */
export async function readStatistics(
  kubectl: Kubectl,
  { versionTable }: Pick<Lock, "versionTable">,
  options: QueryOptions,
): Promise<DatabaseStatistics> {
  const query = { table: versionTable, query: statisticsQuery, withoutTable: statisticsQuery };
  const { value: statistics } = await queryDatabaseOrThrow(kubectl, query, options);
  if (fits(statistics, statisticsShape)) return statistics as DatabaseStatistics;
  throw new Error(`unexpected response: ${JSON.stringify(statistics).slice(0, 200)}`);
}
