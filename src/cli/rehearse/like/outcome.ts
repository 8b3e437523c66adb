import type { PredictedStatement } from "../../../plan/blocking-time.ts";
import type { BackendOptions } from "../../alembic.ts";
import type { StackOptions } from "../../stack.ts";
import type { DatabaseOptions } from "../database.ts";
import type { FailedRevision } from "../rehearsal.ts";

/** Options of `pulumi-alembic rehearse --like`, besides the stack or the app. */
export interface LikeOptions extends BackendOptions, DatabaseOptions, Pick<StackOptions, "context" | "namespace"> {}

/** Predicted times of a pending revision. */
export interface PredictedRevision {
  readonly id: string;
  readonly title: string;
  readonly statements: readonly (PredictedStatement & {
    /** `null` for all statements of the revision. */
    readonly sql: string | null;
  })[];
}

/** The outcome of `pulumi-alembic rehearse --like`. */
export interface BlockingTimes {
  /** The stack or the app. */
  readonly like: string;
  /** Revisions of its database. */
  readonly current: readonly string[];
  /** Fraction of the live rows that the revisions ran on. */
  readonly scale: number;
  /** Milliseconds of the live server for a millisecond of the throwaway one, by which times are multiplied. */
  readonly slowness: number;
  /** The live collation, if it differs from that of the throwaway server: then sorting texts takes another time. */
  readonly otherCollation: string | null;
  /** Live rows of the tables that pending revisions read or change. */
  readonly rows: Readonly<Record<string, number>>;
  /** In the order in which they run, up to the first one that failed on the generated rows. */
  readonly revisions: readonly PredictedRevision[];
  /** Why a table got no rows, or has no statistics: statements on it have no times. */
  readonly unknownTables: Readonly<Record<string, string>>;
  /** The revision that failed on the generated rows. */
  readonly failed: FailedRevision | null;
  /** Timeouts that the migration exceeds, or may exceed. */
  readonly exceeded: readonly string[];
  /** File that the times were written to; `null` if there are none. */
  readonly written: string | null;
}
