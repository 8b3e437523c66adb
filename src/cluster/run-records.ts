import { type RunRecord, runRecordTable } from "../plan/run-record.ts";
import { type Query, queryDatabaseOrThrow } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";

/** How many runs are read: the newest ones. */
const limit = 200;

const question: Query = {
  table: runRecordTable,
  query: `
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'startedAt', started_at, 'finishedAt', finished_at,
      'direction', direction, 'from', from_revisions, 'to', to_revisions, 'target', target, 'image', image,
      'planHash', plan_hash, 'outcome', outcome, 'error', error, 'runner', runner) ORDER BY id), '[]')
    FROM (SELECT * FROM ${runRecordTable} ORDER BY id DESC LIMIT ${limit}) newest`,
};

/**
 * Reads the newest runs that the database has a record of, oldest first; none if there is no such table.
 *
 * @throws {Error} If the database can't be asked, with what each pod said.
 */
export async function readRuns(kubectl: Kubectl, owned: boolean): Promise<readonly RunRecord[]> {
  return ((await queryDatabaseOrThrow(kubectl, owned, question, 10)) ?? []) as readonly RunRecord[];
}
