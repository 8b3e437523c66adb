import type { CheckName } from "../../src/checks/names.ts";

/** A step: a statement, or arguments of kubectl. */
export type Step = string | readonly string[];

/** A broken state of the cluster, which a check must find. */
export interface BrokenState {
  readonly what: string;
  /**
   * Checks to run.
   *
   * @defaultValue all
   */
  readonly names?: readonly CheckName[];
  /** Settings of the checks besides the stack's. */
  readonly settings?: string;
  /** Steps that break it. */
  readonly steps: readonly Step[];
  /** Results of the checks that fail: these, and no others. */
  readonly failed: Readonly<Partial<Record<CheckName, string | RegExp>>>;
  /** Steps that fix it. */
  readonly fix: readonly Step[];
}

/** Broken states that leave no line in the backend's log. */
export const brokenStates: readonly BrokenState[] = [
  {
    what: "a dropped index",
    steps: ["DROP INDEX ix_plugin_metrics_plugin_id_timestamp"],
    failed: {
      schema: "missing: index ix_plugin_metrics_plugin_id_timestamp",
      drift: /^- index public\.plugin_metrics\.ix_plugin_metrics_plugin_id_timestamp/,
    },
    fix: ["CREATE INDEX ix_plugin_metrics_plugin_id_timestamp ON plugin_metrics (plugin_id, timestamp)"],
  },
  {
    what: "a dropped foreign key",
    steps: ["ALTER TABLE plugin_alerts DROP CONSTRAINT fk_plugin_alerts_plugin_id_plugins"],
    failed: {
      schema: "missing: foreign key plugin_alerts(plugin_id) REFERENCES plugins ON DELETE CASCADE",
      drift: /^- constraint public\.plugin_alerts\.fk_plugin_alerts_plugin_id_plugins: foreign key/,
    },
    fix: [
      "ALTER TABLE plugin_alerts ADD CONSTRAINT fk_plugin_alerts_plugin_id_plugins FOREIGN KEY (plugin_id) REFERENCES plugins ON DELETE CASCADE",
    ],
  },
  {
    what: "a JSONB column of another type",
    steps: ["ALTER TABLE plugin_alerts ALTER conditions DROP DEFAULT, ALTER conditions TYPE TEXT"],
    failed: {
      schema: "missing: column plugin_alerts.conditions as jsonb (actual: text)",
      drift: /~ column public\.plugin_alerts\.conditions: type jsonb -> text/,
    },
    fix: ["ALTER TABLE plugin_alerts ALTER conditions TYPE JSONB USING '{}'::jsonb, ALTER conditions SET DEFAULT '{}'"],
  },
  {
    what: "a NOT VALID constraint",
    steps: ["ALTER TABLE plugins ADD CONSTRAINT named CHECK (name <> '') NOT VALID"],
    failed: { constraints: "1 unvalidated: plugins.named", drift: /^\+ constraint public\.plugins\.named: check/ },
    fix: ["ALTER TABLE plugins DROP CONSTRAINT named"],
  },
  {
    what: "an INVALID index",
    steps: [
      "CREATE TABLE twice (a INT)",
      "INSERT INTO twice VALUES (1), (1)",
      "CREATE UNIQUE INDEX CONCURRENTLY once ON twice (a)",
    ],
    failed: { indexes: "1 invalid: once of twice" },
    fix: ["DROP TABLE twice"],
  },
  {
    what: "an application that logs in as the role that migrates",
    names: ["privileges"],
    settings: "  unity:databaseRoles: separate\n",
    steps: [],
    failed: { privileges: /^the backend's role is homelab_user, can alter and drop alembic_version, can alter/ },
    fix: [],
  },
  {
    what: "a missing table",
    steps: ["ALTER TABLE plugin_alerts RENAME TO elsewhere"],
    failed: {
      tables: "missing: plugin_alerts",
      schema: "missing: table plugin_alerts",
      drift: /- table public\.plugin_alerts/,
    },
    fix: ["ALTER TABLE elsewhere RENAME TO plugin_alerts"],
  },
  {
    what: "a database at another revision",
    steps: ["UPDATE alembic_version SET version_num = 'a1b2c3d4e5f6'"],
    failed: { revision: "a1b2c3d4e5f6", health: /a1b2c3d4e5f6/ },
    fix: ["UPDATE alembic_version SET version_num = 'add_plugin_execution'"],
  },
  {
    what: "a backend that does not tolerate a newly tolerated revision",
    settings: "  unity:toleratedRevisions: later\n",
    steps: ["UPDATE alembic_version SET version_num = 'later'"],
    failed: { health: /later/ },
    fix: ["UPDATE alembic_version SET version_num = 'add_plugin_execution'"],
  },
  {
    what: "a pod that a quota rejects",
    steps: [
      ["create", "quota", "narrow", "--hard=pods=2"],
      // The quota is enforced once its usage was counted.
      ["wait", "quota/narrow", "--for=jsonpath={.status.used.pods}=2", "--timeout=30s"],
      ["scale", "deployment/unity-backend", "--replicas=2"],
    ],
    failed: { pods: "1/2 ready" },
    fix: [
      ["scale", "deployment/unity-backend", "--replicas=1"],
      ["delete", "quota", "narrow"],
    ],
  },
];

/** Broken states that the backend's log shows for some time. */
export const loggedBrokenStates: readonly BrokenState[] = [
  {
    what: "an execution that can't be recorded",
    names: ["execution"],
    steps: ["ALTER TABLE plugin_executions ADD CONSTRAINT none CHECK (status <> 'succeeded')"],
    failed: { execution: "HTTP 503 for the execution of disk-usage" },
    fix: [
      "ALTER TABLE plugin_executions DROP CONSTRAINT none",
      "DELETE FROM plugin_executions WHERE status = 'running'",
    ],
  },
  {
    what: "its error in the log",
    names: ["logs", "execution"],
    steps: [],
    failed: { logs: /^errors in 1 of \d+ lines, last: .*database error in POST .*\/execute/ },
    fix: [],
  },
  {
    what: "plugins that can't be listed",
    names: ["plugins", "health", "tables", "schema"],
    steps: ["UPDATE plugins SET created_at = 'infinity'"],
    failed: { plugins: /database unavailable/ },
    fix: ["UPDATE plugins SET created_at = now()"],
  },
];
