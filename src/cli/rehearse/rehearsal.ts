import { join } from "node:path";
import { compareSchemas, type SchemaChange } from "../../lockfile/database-schema/changes.ts";
import {
  type DatabaseSchema,
  emptySchema,
  withoutVersionTable,
} from "../../lockfile/database-schema/database-schema.ts";
import type { Lock } from "../../lockfile/lock.ts";
import type { LockMode } from "../../lockfile/statement-lock.ts";
import { alembicCommand, runAlembicScript } from "../alembic.ts";
import { CommandError } from "../result.ts";

/** A statement that ran. */
export interface RanStatement {
  /** With its values as literals, and a semicolon at the end. */
  readonly sql: string;
  /** Whether it committed itself. */
  readonly autocommit: boolean;
  readonly milliseconds: number;
  /** Rows that it affected or returned; `null` if the server reports none. */
  readonly rows: number | null;
  /**
   * Locks on tables that existed before, which no earlier statement of its transaction had taken. Of a statement that committed
   * itself, the first one that other schema changes would wait for.
   */
  readonly locks: readonly (readonly [table: string, mode: LockMode])[];
  /** Whether it only reads PostgreSQL's catalogs, as SQLAlchemy does before it creates a type. */
  readonly readsCatalog: boolean;
  readonly failed: boolean;
}

/** A revision that ran up, down, and up again. */
export interface RehearsedRevision {
  readonly id: string;
  readonly title: string;
  /** Of the first upgrade. */
  readonly upgrade: readonly RanStatement[];
  readonly upgradeMilliseconds: number;
  /** Changes of the schema by the upgrade. */
  readonly changes: readonly SchemaChange[];
  readonly downgrade: readonly RanStatement[];
  /** Why the downgrade failed; `null` if it ran. */
  readonly downgradeError: string | null;
  /** Why the upgrade after the downgrade failed; `null` if it ran, or if the downgrade failed. */
  readonly againError: string | null;
  /** Differences from before after upgrade and downgrade; empty if the downgrade failed. */
  readonly leaves: readonly SchemaChange[];
  /** Whether the second upgrade, after a complete downgrade, ran other statements or led to another schema. */
  readonly nondeterministic: boolean;
  /** The environment variable that it reads, or whose value its statements contain; `null` without any. */
  readonly variable: string | null;
}

/** A revision that failed, after which nothing ran. */
export interface FailedRevision {
  readonly revision: string;
  readonly direction: "upgrade" | "downgrade";
  readonly error: string;
}

/** The result of running a chain. */
export interface Rehearsal {
  /** The server's version, such as `15.18`. */
  readonly postgres: string;
  readonly revisions: readonly RehearsedRevision[];
  readonly failed: FailedRevision | null;
  /** Differences of env.py's models from the schema at the head; `null` if it has no models, or the chain failed. */
  readonly models: readonly string[] | null;
}

/** A step, as `rehearse_chain.py` prints it. */
export interface Step {
  readonly revision: string;
  readonly direction: "upgrade" | "downgrade";
  readonly error: string | null;
  readonly milliseconds: number;
  readonly statements: readonly RanStatement[];
  readonly variable: string | null;
  readonly schema: DatabaseSchema;
  readonly total: number;
}

type End = Pick<Rehearsal, "postgres" | "failed" | "models">;

const script = join(import.meta.dirname, "rehearse_chain.py");

/** A chain, and the database that it runs on. */
export interface ChainOptions {
  readonly lock: Lock;
  readonly backendFolder: string;
  readonly python: string;
  /** URL of a database without objects. */
  readonly url: string;
  /** Further variables of env.py. */
  readonly env: NodeJS.ProcessEnv;
}

export interface RehearsalOptions extends ChainOptions {
  /** Receives each revision when it is done. */
  readonly onRevision: (revision: RehearsedRevision, number: number, total: number) => void;
}

/**
 * Runs the chain on a database without objects, and removes what it created there.
 *
 * @throws {CommandError} If the database has objects, or Alembic or env.py fails outside of a revision.
 */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const { lock, onRevision } = options;
  const titles = new Map(lock.revisions.map(({ id, title }) => [id, title]));
  const revisions: RehearsedRevision[] = [];
  const steps: Step[] = [];
  let before = emptySchema;
  const finish = () => {
    const [up, down, again] = steps.splice(0);
    if (up === undefined || down === undefined) return;
    const after = again?.error === null ? again : up;
    const id = up.revision;
    const leaves = down.error === null ? compareSchemas(before, down.schema) : [];
    const differs =
      sqlOf(after.statements) !== sqlOf(up.statements) || compareSchemas(after.schema, up.schema).length > 0;
    revisions.push({
      id,
      title: titles.get(id) ?? "",
      upgrade: up.statements,
      upgradeMilliseconds: up.milliseconds,
      changes: compareSchemas(before, up.schema),
      downgrade: down.statements,
      downgradeError: down.error,
      againError: again?.error ?? null,
      leaves,
      variable: up.variable ?? down.variable,
      nondeterministic: leaves.length === 0 && differs, // an upgrade may skip what the downgrade left
    });
    before = after.schema; // with what an incomplete downgrade left, unless the schema of an empty database follows
    onRevision(revisions.at(-1) as RehearsedRevision, revisions.length, up.total);
  };
  const end = await runChain<End>(options, [], (document) => {
    const step = document as Step | Pick<Step, "schema">;
    const schema = withoutVersionTable(step.schema, lock.versionTable);
    if (!("revision" in step)) {
      before = schema;
      return;
    }
    steps.push({ ...step, schema });
    if (steps.length === 3 || step.error !== null) finish();
  });
  if (end.failed === null && revisions.length < lock.revisions.length)
    throw new CommandError("the chain has fewer revisions than the lockfile\nLock it again.");
  return { postgres: end.postgres, revisions, failed: end.failed, models: end.models };
}

/**
 * Runs the script of the rehearsal.
 *
 * @param args - Its arguments after the version table.
 * @param onDocument - Receives the documents before the last one.
 * @throws {CommandError} If the database has objects, or Alembic or env.py fails outside of a revision.
 */
export function runChain<T>(
  { lock, backendFolder, python, url, env }: ChainOptions,
  args: readonly string[],
  onDocument: (document: unknown) => void,
): Promise<T> {
  const { DATABASE_URL = "" } = process.env;
  return runAlembicScript<T>({
    script,
    args: [JSON.stringify(lock.versionTable), ...args],
    backendFolder,
    python,
    alembic: lock.alembic,
    explain: (reason) =>
      `can't rehearse the chain of ${backendFolder}: ${reason}\nIt runs as by: ${alembicCommand(lock.alembic)}`,
    env: {
      ...env,
      DATABASE_URL: url,
      REHEARSAL_SCHEME: DATABASE_URL.split("://")[0],
      // They would lead elsewhere.
      MIGRATION_DATABASE_URL: undefined,
      APPLICATION_DATABASE_URL: undefined,
    },
    onDocument,
  });
}

function sqlOf(statements: readonly RanStatement[]): string {
  return JSON.stringify(statements.filter(({ readsCatalog }) => !readsCatalog).map(({ sql }) => sql));
}
