import { type RunRecord, runRecordTable } from "../plan/run-record.ts";
import { type Query, type QueryOptions, queryDatabaseOrThrow } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";

/** Maximum number of runs to read. */
const limit = 200;

const query: Query = {
  table: runRecordTable,
  query: `
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'startedAt', started_at, 'finishedAt', finished_at,
      'direction', direction, 'from', from_revisions, 'to', to_revisions, 'target', target, 'image', image,
      'planHash', plan_hash, 'outcome', outcome, 'error', error, 'runner', runner,
      'blockedSeconds', to_jsonb(newest) -> 'blocked_seconds') ORDER BY id), '[]')
    FROM (SELECT * FROM ONLY :relation ORDER BY id DESC LIMIT ${limit}) newest`,
};

/**
 * Reads the newest runs that the database records, oldest first; none without their table.
 *
 * @throws {Error} If the database can't be queried: with each pod's cause.
 */
export async function readRuns(kubectl: Kubectl, options: QueryOptions): Promise<readonly RunRecord[]> {
  const { value } = await queryDatabaseOrThrow(kubectl, query, options);
  const runs = value ?? [];
  if (!Array.isArray(runs)) throw new Error(`unexpected response: ${JSON.stringify(runs).slice(0, 200)}`);
  return runs as readonly RunRecord[];
}
