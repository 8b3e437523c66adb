import type { FindingLevel } from "../../lockfile/lock.ts";

interface Rule {
  readonly level: FindingLevel;
  /** Reason for the level. */
  readonly because: string;
}

/**
 * Rules of squawk on risks to data, to the old backend that still runs, and to sessions that wait for a lock. Rules of
 * style are left out, and those that require what the runner does anyway (timeouts, a transaction).
 */
export const squawkRules = {
  "ban-drop-column": { level: "error", because: "destroys data; the old backend selects the column" },
  "ban-drop-table": { level: "error", because: "destroys data; the old backend uses the table" },
  "ban-drop-database": { level: "error", because: "destroys data, and can't run in a transaction" },
  "ban-drop-schema": { level: "error", because: "destroys data" },
  "ban-drop-view": { level: "error", because: "the old backend may read it" },
  "ban-drop-sequence": { level: "error", because: "the old backend may draw from it; its position is lost" },
  "ban-drop-function": { level: "error", because: "the old backend may call it" },
  "ban-drop-extension": { level: "error", because: "drops the extension's types and functions as well" },
  "ban-truncate-cascade": { level: "error", because: "destroys data of tables that it doesn't name" },
  "ban-set-schema": { level: "error", because: "the old backend no longer finds the object" },
  "renaming-column": { level: "error", because: "the old backend uses the old name" },
  "renaming-table": { level: "error", because: "the old backend uses the old name" },
  "changing-column-type": { level: "error", because: "rewrites the table under the strictest lock, may lose data" },
  "adding-required-field": { level: "error", because: "fails if there is a row; the old backend inserts without it" },
  "transaction-nesting": { level: "error", because: "revision and version table are no longer changed together" },
  "ban-concurrent-index-creation-in-transaction": { level: "error", because: "fails" },
  "ban-drop-type": { level: "warning", because: "PostgreSQL rejects it while a column has the type" },
  "ban-drop-domain": { level: "warning", because: "PostgreSQL rejects it while a column has the domain" },
  "ban-drop-constraint": { level: "warning", because: "loses a guarantee, but no data" },
  "ban-drop-not-null": { level: "warning", because: "the old backend may read a null" },
  "ban-drop-default": { level: "warning", because: "the old backend's inserts may rely on it" },
  "renaming-object": { level: "warning", because: "breaks only code that names it: usually an index or a constraint" },
  "adding-not-nullable-field": { level: "warning", because: "reads and writes wait for a scan" },
  "adding-field-with-default": { level: "warning", because: "reads and writes wait for a rewrite" },
  "adding-foreign-key-constraint": { level: "warning", because: "writes to both tables wait for a scan" },
  "constraint-missing-not-valid": { level: "warning", because: "reads and writes wait for a scan" },
  "disallowed-unique-constraint": { level: "warning", because: "reads and writes wait for the index" },
  "adding-serial-primary-key-field": { level: "warning", because: "reads and writes wait for the index" },
  "require-concurrent-index-creation": { level: "warning", because: "writes wait for the index" },
  "require-concurrent-index-deletion": { level: "warning", because: "reads and writes wait, briefly" },
  "require-concurrent-reindex": { level: "warning", because: "writes wait for the index" },
  "require-concurrent-partition-detach": { level: "warning", because: "reads and writes wait, briefly" },
  "ban-create-domain-with-constraint": { level: "warning", because: "a later change of it scans every table" },
  "ban-alter-domain-with-add-constraint": { level: "warning", because: "scans every table that uses it" },
} as const satisfies Record<string, Rule>;

/** Rules that squawk doesn't have. */
export const ownRules = {
  "delete-without-where": { level: "error", because: "destroys data" },
  truncate: { level: "error", because: "destroys data" },
  "not-in-transaction": { level: "error", because: "fails" },
  "new-enum-value": { level: "error", because: "fails" },
  "procedure-call": { level: "warning", because: "fails if the procedure commits" },
  "syntax-error": { level: "error", because: "fails" },
  "update-without-where": { level: "warning", because: "usually a backfill, but every row stays locked until the end" },
  "long-id": { level: "error", because: "fails, after the revisions before it were committed" },
  "missing-downgrade": { level: "error", because: "prevents a downgrade, which the check `reversible` requires" },
  "sql-not-known": { level: "warning", because: "its effect can't be reviewed" },
  "rehearsed-sql": { level: "warning", because: "other rows may lead to other statements" },
  "failing-downgrade": { level: "error", because: "prevents a downgrade, like a missing one" },
  "incomplete-downgrade": { level: "warning", because: "the next upgrade may fail" },
  "nondeterministic-upgrade": { level: "warning", because: "databases of the chain differ" },
  "model-difference": { level: "warning", because: "the app expects another schema than it gets" },
  "breaks-running-release": { level: "error", because: "pods of the release before it still run" },
  "several-bases": { level: "warning", because: "Alembic allows it; usually a down_revision was forgotten" },
} as const satisfies Record<string, Rule>;

/**
 * Rules that repeat what another rule reports better: PostgreSQL has no `NOT VALID` for UNIQUE, and the help of the other
 * rules includes it.
 */
export const impliedRules: Readonly<Partial<Record<SquawkRule, readonly SquawkRule[]>>> = {
  "constraint-missing-not-valid": [
    "adding-foreign-key-constraint",
    "disallowed-unique-constraint",
    "adding-serial-primary-key-field",
  ],
};

/** A rule of squawk that is used. */
export type SquawkRule = keyof typeof squawkRules;

/** A rule that squawk doesn't have. */
export type OwnRule = keyof typeof ownRules;
