import { queryDatabaseOrThrow } from "../cluster/database-query.ts";
import type { Kubectl } from "../cluster/kubectl.ts";
import { appSchemas } from "../cluster/pod-program.ts";
import { readRollbackWindow } from "../cluster/rollback-window.ts";
import type { Lock } from "../lockfile/lock.ts";
import type { Schema } from "../lockfile/schema/schema.ts";
import type { RollbackWindow } from "../plan/rollback-window.ts";

/** Facts about the database that the checks evaluate, from one query. */
export interface DatabaseFacts {
  /** Rows of the version table, sorted. */
  readonly revisions: readonly string[];
  /** Absent if the chain contains the revision, or no record of it can be read. */
  readonly window?: RollbackWindow;
  readonly tables: Schema;
  /** Invalid indexes of the chain's tables that no session is building, as `index of table`. */
  readonly invalidIndexes: readonly string[];
  /** Unvalidated constraints of the chain's tables, as `table.constraint`. */
  readonly notValid: readonly string[];
}

/**
 * Queries the database from a pod.
 *
 * @param chain - The lockfile up to the release's head.
 * @returns `null` without Alembic's table.
 * @throws {Error} If the query fails.
 */
export async function readDatabase(
  kubectl: Kubectl,
  chain: Pick<Lock, "versionTable" | "revisions">,
  owned: boolean,
  backend?: string,
): Promise<DatabaseFacts | null> {
  const options = { owned, backend };
  const versionQuery = { table: chain.versionTable, query };
  const { value } = await queryDatabaseOrThrow(kubectl, versionQuery, options);
  const facts = value as DatabaseFacts | null;
  const window = facts && (await readRollbackWindow(kubectl, chain, facts.revisions, options));
  return facts && window ? { ...facts, window } : facts;
}

/** Returns SQL for the names of columns by their numbers, in the numbers' order. */
const columnsOf = (relation: string, numbers: string) =>
  `(SELECT jsonb_agg(a.attname ORDER BY k.place) FROM unnest(${numbers}) WITH ORDINALITY k(number, place)
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number AND k.number > 0)`;

/**
 * Tables outside the app's schema are named `schema.table`. The chain's are those in that schema, and those of the same
 * owner as Alembic's table. An index is invalid until it is built.
 */
const query = `
    WITH version AS (
      SELECT relowner AS owner FROM pg_catalog.pg_class WHERE oid = (SELECT tableoid FROM ONLY :relation LIMIT 1)
    ), relation AS (
      SELECT c.oid, n.nspname = (${appSchemas})[1] OR c.relowner = (SELECT owner FROM version) AS ours,
        CASE WHEN n.nspname = (${appSchemas})[1] THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_'
    ), facts AS (
      SELECT r.name, jsonb_build_object(
        'columns', (
          SELECT coalesce(jsonb_object_agg(a.attname, t.typname), '{}')
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'foreignKeys', (
          SELECT coalesce(jsonb_agg(jsonb_build_object('name', f.conname, 'columns', ${columnsOf("r.oid", "f.conkey")},
            'references', other.name, 'onDelete', f.confdeltype)), '[]')
          FROM pg_catalog.pg_constraint f JOIN relation other ON other.oid = f.confrelid
          WHERE f.conrelid = r.oid AND f.contype = 'f'),
        'indexes', (
          SELECT coalesce(jsonb_object_agg(c.relname, ${columnsOf("r.oid", "i.indkey[0:i.indnkeyatts - 1]")}), '{}')
          FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = r.oid)) AS fact
      FROM relation r
    )
    SELECT jsonb_build_object(
      'revisions', (SELECT coalesce(jsonb_agg(version_num ORDER BY version_num), '[]') FROM ONLY :relation),
      'tables', (SELECT coalesce(jsonb_object_agg(name, fact), '{}') FROM facts),
      'invalidIndexes', (
        SELECT coalesce(jsonb_agg(c.relname || ' of ' || r.name ORDER BY c.relname), '[]')
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN relation r ON r.oid = i.indrelid
        WHERE r.ours AND NOT i.indisvalid AND c.relkind = 'i' AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_stat_progress_create_index p JOIN pg_catalog.pg_locks l ON l.pid = p.pid AND l.database = p.datid
          WHERE p.datname = current_database() AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock')),
      'notValid', (
        SELECT coalesce(jsonb_agg(r.name || '.' || v.conname ORDER BY r.name, v.conname), '[]')
        FROM pg_catalog.pg_constraint v JOIN relation r ON r.oid = v.conrelid WHERE r.ours AND NOT v.convalidated))`;
