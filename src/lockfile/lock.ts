import { createHash } from "node:crypto";
import { chainCommand } from "../command-line.ts";
import type { LockedEffects, LockedRehearsal } from "./evidence.ts";
import type { StatementLock } from "./statement-lock.ts";
import type { VersionTable } from "./version-table.ts";

/** The version of the lockfile format that this program writes and reads. */
export const lockVersion = 4;

/** SQL of one direction of a revision: each statement as `alembic upgrade --sql` prints it, or why it is unknown. */
export type LockedSql = (
  | { readonly sql: readonly string[] }
  | {
      readonly sql: null;
      /** Why it is not known: it needs a database, or can't be rendered; with the line of the revision file. */
      readonly reason: string;
    }
) & {
  /** Statements that ran in a rehearsal, without those that only read catalogs; absent if they are those of `sql`. */
  readonly rehearsed?: readonly string[];
};

/** Returns the statements of a direction as they are rendered, otherwise as they were rehearsed; `null` if unknown. */
export function knownSql({ sql, rehearsed }: LockedSql): readonly string[] | null {
  return sql ?? rehearsed ?? null;
}

/** The tables that an upgrade changes by Alembic's own operations; `schema.table` if a schema is given. */
export interface LockedTables {
  readonly created: readonly string[];
  /** Tables that exist before and after, and whose columns, constraints, indexes, or comments change. */
  readonly altered: readonly string[];
  /** A renamed table counts as dropped, and its new name as created. */
  readonly dropped: readonly string[];
  /** Indexes into `upgrade.sql` of the statements that were written as text, whose tables Alembic doesn't know. */
  readonly unclassified: readonly number[];
}

/** Indexes of an upgrade that may be INVALID before it; `schema.index` if the statement names a schema. */
export interface LockedIndexes {
  /** Created concurrently, and not dropped before by the same upgrade. What a failed attempt left has to be dropped first. */
  readonly built: readonly string[];
  /** Dropped or rebuilt. */
  readonly repaired: readonly string[];
}

/**
 * `error`: destroys data, breaks the old backend that still runs, or fails; requires the stack's approval.
 * `warning`: blocks other sessions, or is worth a look.
 */
export const findingLevels = ["error", "warning"] as const;

/** One of {@link findingLevels}. */
export type FindingLevel = (typeof findingLevels)[number];

/** Rule of the finding that code of a running release may fail on the schema after a revision, as a rehearsal found it. */
export const breaksRunningRelease = "breaks-running-release";

/** Whether code of a release before a revision may fail on the schema after it, as a rehearsal found. */
export function breaksOlderCode({ findings }: Pick<LockedRevision, "findings">): boolean {
  return findings.some(({ rule }) => rule === breaksRunningRelease);
}

/** An objection of the linter, or of a rule of ours, to a revision's upgrade. */
export interface Finding {
  /** Name of a rule of squawk (https://squawkhq.com/docs/rules), or of one of ours. */
  readonly rule: string;
  readonly level: FindingLevel;
  /** Index into `upgrade.sql`; `null` if it concerns the revision as a whole. */
  readonly statement: number | null;
  /** Describes the problem in one or two sentences. */
  readonly message: string;
  /** The recommended alternative; `null` if the rule has none. */
  readonly help: string | null;
}

/** Orders findings by statement, with those of the whole revision first, then by rule. */
export function compareFindings(a: Finding, b: Finding): number {
  return (a.statement ?? -1) - (b.statement ?? -1) || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}

/** SHA-256 of files in hexadecimal, by path relative to the backend's folder, with `/`. */
export type FileHashes = Readonly<Record<string, string>>;

/** One reviewed revision. */
export interface LockedRevision {
  readonly id: string;
  /** Several for a merge revision, none for a base. */
  readonly downRevisions: readonly string[];
  /** Ids in `depends_on`. */
  readonly dependsOn: readonly string[];
  readonly branchLabels: readonly string[];
  /** The first paragraph of the file's docstring as one line, with hidden characters as visible escapes. */
  readonly title: string;
  /** `Create Date` of the file's docstring, verbatim. */
  readonly date: string | null;
  /** Path relative to the backend's folder, with `/`; in an installed package, `package:path`. */
  readonly file: string;
  readonly sha256: string;
  /** Other files below the script folder that the revision reads, such as SQL, also as it is downgraded. */
  readonly files: FileHashes;
  /** `null` if the upgrade can't be rendered. */
  readonly tables: LockedTables | null;
  readonly upgrade: LockedSql;
  readonly downgrade: LockedSql;
  /** Whether the downgrade changes anything; `null` if that depends on a database. */
  readonly reversible: boolean | null;
  /** Why `reversible` is not true. */
  readonly reversibleReason: string | null;
  /** Objections to the upgrade, by statement, then by rule. */
  readonly findings: readonly Finding[];
  /**
   * Table locks of the upgrade on existing tables: the strongest one of each statement on each table, except those that
   * any reader takes.
   */
  readonly locks: readonly StatementLock[];
  readonly indexes: LockedIndexes;
  /** Why code of an earlier revision may fail on the schema after the upgrade; `null` if it keeps working. */
  readonly rollbackBlocker: string | null;
  /** Absent if the revision was not rehearsed. */
  readonly rehearsed?: LockedEffects;
}

/** How Alembic is called, for the lockfile and in the image. */
export interface LockedAlembic {
  /**
   * Files of `alembic --config`, relative to the backend's folder: at most one `pyproject.toml` and one other. What is not
   * listed is `pyproject.toml` and `alembic.ini`, as far as they exist.
   */
  readonly config: readonly string[];
  /** Arguments of `alembic -x`, which env.py gets by `context.get_x_argument()`. */
  readonly x: readonly string[];
  /** The application of Flask-Migrate, as in `flask --app`; `null` without Flask. */
  readonly flaskApp: string | null;
}

/** The call `alembic upgrade head`, without options. */
export const plainAlembic: LockedAlembic = { config: [], x: [], flaskApp: null };

/** Returns the options of the call; `undefined` without any, so that hashes of such chains don't depend on them. */
export function alembicOptions({ alembic }: Pick<Lock, "alembic">): LockedAlembic | undefined {
  const { config, x, flaskApp } = alembic;
  return config.length === 0 && x.length === 0 && flaskApp === null ? undefined : { config, x, flaskApp };
}

/** The lockfile, the reviewed record of the chain: `backend/migrations.lock.json`. */
export interface Lock {
  readonly version: typeof lockVersion;
  readonly alembic: LockedAlembic;
  /** Folders with revision files, relative to the backend's folder, or `package:path`. */
  readonly versionLocations: readonly string[];
  readonly versionTable: VersionTable;
  readonly heads: readonly string[];
  readonly bases: readonly string[];
  /**
   * Files below the script folder that belong to no single revision: env.py, imported modules, and what those read. If the
   * SQL of a revision is unknown, all other files, too. Empty if unknown: see {@link cutAt}.
   */
  readonly files: FileHashes;
  /** SQL that env.py itself executes when it runs online, such as `SET` or `CREATE SCHEMA`, before or after the revisions. */
  readonly env: LockedSql;
  /** Absent if the chain was not rehearsed. */
  readonly rehearsal?: LockedRehearsal;
  /** From the bases to the heads, each one after those that it follows. */
  readonly revisions: readonly LockedRevision[];
}

/** Describes how to get a chain with exactly one head; `null` if it has one. */
export function headError({ heads }: Pick<Lock, "heads">): string | null {
  if (heads.length === 1) return null;
  const [lockCommand, revisionCommand] = [chainCommand("lock"), chainCommand("revision")];
  if (heads.length === 0) return `the chain has no revisions. Run: ${revisionCommand} -m <title> && ${lockCommand}`;
  return (
    `the chain has ${heads.length} heads: ${heads.join(", ")}; only one is allowed. ` +
    `To merge them, run: ${revisionCommand} --merge -m <title> && ${lockCommand}. ` +
    "Or, if no database has one of them yet, set its down_revision to the other"
  );
}

/**
 * Returns the head of the chain.
 *
 * @throws {Error} If it has none or several.
 */
export function head(lock: Lock): string {
  const [only] = lock.heads;
  const error = headError(lock);
  if (only === undefined || error !== null) throw new Error(error ?? "");
  return only;
}

/** Returns the hash of each file that was reviewed with a revision, its own first. */
export function reviewedFiles({ file, sha256, files }: Pick<LockedRevision, "file" | "sha256" | "files">): FileHashes {
  return { [file]: sha256, ...files };
}

/** Returns the hash of each reviewed file of the chain. */
export function allReviewedFiles(lock: Pick<Lock, "files" | "revisions">): FileHashes {
  return Object.assign({}, lock.files, ...lock.revisions.map(reviewedFiles));
}

/**
 * Returns the chain's identity: a SHA-256 of ids, down revisions, and the hashes of each revision's files, regardless of the
 * rendered SQL, and of env.py and modules, which may differ between the releases of a chain.
 */
export function lockDigest(lock: Lock): string {
  const identity = lock.revisions.map(({ id, downRevisions, sha256, files }) => [id, downRevisions, sha256, files]);
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex");
}
