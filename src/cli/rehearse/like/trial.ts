import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { speedQuery } from "../../../cluster/table-statistics.ts";
import {
  type DatabaseSchema,
  emptySchema,
  withoutVersionTable,
} from "../../../lockfile/database-schema/database-schema.ts";
import { type ChainOptions, type FailedRevision, type RanStatement, runChain, type Step } from "../rehearsal.ts";

/** A run of the pending revisions on rows. */
export interface TrialOptions extends ChainOptions {
  /** In the order in which they run. */
  readonly pending: readonly string[];
  /** Statements that insert and prepare the rows of each table, by its name in SQL. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** Settings of the sessions in which revisions run. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Result of a run. */
export interface TrialRun {
  /** The server's version, such as `15.18`. */
  readonly postgres: string;
  /** Rows of each table by its name in SQL. */
  readonly rows: Readonly<Record<string, number>>;
  /** Why a table has no rows. */
  readonly failedTables: Readonly<Record<string, string>>;
  /** Milliseconds of the query of the server's speed. */
  readonly speed: number;
  /** Collation of the database. */
  readonly collation: string;
  /** Schema before the pending revisions. */
  readonly before: DatabaseSchema;
  /** Schema after them. */
  readonly after: DatabaseSchema;
  /** Statements of each pending revision that ran to its end. */
  readonly statements: ReadonlyMap<string, readonly RanStatement[]>;
  readonly failed: FailedRevision | null;
}

interface Counts extends Pick<TrialRun, "rows" | "speed" | "collation"> {
  readonly failed: Readonly<Record<string, string>>;
}

type Document = Step | Pick<Step, "schema"> | { readonly counts: Counts };

/**
 * Runs the chain upwards on a database without objects, with rows before the pending revisions, and removes it.
 *
 * @throws {CommandError} If the database has objects, or Alembic or env.py fails outside of a revision.
 */
export async function runTrial(options: TrialOptions): Promise<TrialRun> {
  const { lock, pending, tables, settings } = options;
  const folder = mkdtempSync(join(tmpdir(), "pulumi-alembic-trial-"));
  const file = join(folder, "trial.json");
  let counts: Counts = { rows: {}, failed: {}, speed: 0, collation: "" };
  let [before, after] = [emptySchema, emptySchema];
  const statements = new Map<string, readonly RanStatement[]>();
  try {
    writeFileSync(file, JSON.stringify({ pending, tables, settings, speed: speedQuery }));
    const end = await runChain<Pick<TrialRun, "postgres" | "failed">>(options, [file], (given) => {
      const document = given as Document;
      if ("counts" in document) {
        counts = document.counts;
        return;
      }
      after = withoutVersionTable(document.schema, lock.versionTable);
      const isPending = "revision" in document && pending.includes(document.revision);
      if (!isPending) before = after;
      else statements.set(document.revision, document.statements.filter(isCounted));
    });
    const { failed: failedTables, ...counted } = counts;
    return { postgres: end.postgres, failed: end.failed, ...counted, failedTables, before, after, statements };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a statement counts: one that succeeded and doesn't only read catalogs, as SQLAlchemy's version decides. */
function isCounted({ failed, readsCatalog }: RanStatement): boolean {
  return !failed && !readsCatalog;
}
