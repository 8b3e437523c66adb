import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lock } from "../lockfile/lock.ts";
import { anyText, fits, list, nullable, object } from "../lockfile/shape.ts";
import { literal } from "../lockfile/version-table.ts";
import type { RollbackWindow } from "../plan/rollback-window.ts";
import { runRecordTable } from "../plan/run-record.ts";
import { type QueryOptions, queryDatabase } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";

/** Query of the window at `:revision` of the version table `:table`, which the runner runs, too. */
const windowQuery = readFileSync(join(import.meta.dirname, "..", "runner", "rollback-window.sql"), "utf8");

const windowShape = object({
  image: anyText,
  startedAt: anyText,
  heads: list(anyText),
  end: nullable(object({ revision: anyText, blocker: anyText })),
});

/**
 * Reads what the run record says on rollbacks at the database's revision. It never throws.
 *
 * @param rows - Rows of the version table.
 * @returns `undefined` if the chain contains the revision, or no record of it can be read.
 */
export async function readRollbackWindow(
  kubectl: Kubectl,
  { versionTable, revisions }: Pick<Lock, "versionTable" | "revisions">,
  rows: readonly string[],
  options: QueryOptions,
): Promise<RollbackWindow | undefined> {
  const [row, ...others] = rows;
  if (row === undefined || others.length > 0 || revisions.some(({ id }) => id === row)) return undefined;
  const values: Readonly<Record<string, string>> = { revision: row, table: JSON.stringify(versionTable) };
  const query = windowQuery.replaceAll(/:(revision|table)\b/g, (_, name: string) => literal(values[name] ?? ""));
  const answers = await queryDatabase(kubectl, { table: runRecordTable, query }, options);
  for (const answer of answers) {
    if ("value" in answer && fits(answer.value, windowShape)) return answer.value as RollbackWindow;
  }
  return undefined;
}
