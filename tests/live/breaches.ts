import type { CheckName } from "../../src/checks/names.ts";

/** One step of breaking or mending: a statement, or words for kubectl. */
export type Step = string | readonly string[];

/** Something on the cluster that is broken so that a check must find it. */
export interface Breach {
  readonly what: string;
  /** Those that are run. @defaultValue all */
  readonly names?: readonly CheckName[];
  /** Settings besides the stack's, by which the checks judge. */
  readonly settings?: string;
  readonly breach: readonly Step[];
  /** What the checks that fail have found: these, and no others. */
  readonly failed: Readonly<Partial<Record<CheckName, string | RegExp>>>;
  readonly mend: readonly Step[];
}

/** What leaves no trace in the backend's log. */
export const breaches: readonly Breach[] = [
  {
    what: "an index that was dropped",
    breach: ["DROP INDEX ix_plugin_metrics_plugin_id_timestamp"],
    failed: { schema: "missing: index ix_plugin_metrics_plugin_id_timestamp" },
    mend: ["CREATE INDEX ix_plugin_metrics_plugin_id_timestamp ON plugin_metrics (plugin_id, timestamp)"],
  },
  {
    what: "a foreign key that was dropped",
    breach: ["ALTER TABLE plugin_alerts DROP CONSTRAINT fk_plugin_alerts_plugin_id_plugins"],
    failed: { schema: "missing: foreign key plugin_alerts(plugin_id) REFERENCES plugins ON DELETE CASCADE" },
    mend: [
      "ALTER TABLE plugin_alerts ADD CONSTRAINT fk_plugin_alerts_plugin_id_plugins FOREIGN KEY (plugin_id) REFERENCES plugins ON DELETE CASCADE",
    ],
  },
  {
    what: "a JSONB column that is none",
    breach: ["ALTER TABLE plugin_alerts ALTER conditions DROP DEFAULT, ALTER conditions TYPE TEXT"],
    failed: { schema: "missing: column plugin_alerts.conditions as jsonb, it is text" },
    mend: [
      "ALTER TABLE plugin_alerts ALTER conditions TYPE JSONB USING '{}'::jsonb, ALTER conditions SET DEFAULT '{}'",
    ],
  },
  {
    what: "a constraint that is NOT VALID",
    breach: ["ALTER TABLE plugins ADD CONSTRAINT named CHECK (name <> '') NOT VALID"],
    failed: { constraints: "plugins.named" },
    mend: ["ALTER TABLE plugins DROP CONSTRAINT named"],
  },
  {
    what: "an INVALID index",
    breach: [
      "CREATE TABLE twice (a INT)",
      "INSERT INTO twice VALUES (1), (1)",
      "CREATE UNIQUE INDEX CONCURRENTLY once ON twice (a)",
    ],
    failed: { indexes: "once of twice" },
    mend: ["DROP TABLE twice"],
  },
  {
    what: "an application that logs in as the role that migrates",
    names: ["privileges"],
    settings: "  unity:databaseRoles: separate\n",
    breach: [],
    failed: { privileges: /^the backend's role is homelab_user, it can alter and drop alembic_version, it can alter/ },
    mend: [],
  },
  {
    what: "a table that is missing",
    breach: ["ALTER TABLE plugin_alerts RENAME TO elsewhere"],
    failed: { tables: "missing: plugin_alerts", schema: "missing: table plugin_alerts" },
    mend: ["ALTER TABLE elsewhere RENAME TO plugin_alerts"],
  },
  {
    what: "a database at another revision",
    breach: ["UPDATE alembic_version SET version_num = 'a1b2c3d4e5f6'"],
    failed: { revision: "a1b2c3d4e5f6", health: /a1b2c3d4e5f6/ },
    mend: ["UPDATE alembic_version SET version_num = 'add_plugin_execution'"],
  },
  {
    what: "a backend that does not tolerate what the stack by now does",
    settings: "  unity:toleratedRevisions: later\n",
    breach: ["UPDATE alembic_version SET version_num = 'later'"],
    failed: { health: /later/ },
    mend: ["UPDATE alembic_version SET version_num = 'add_plugin_execution'"],
  },
  {
    what: "a pod that a quota keeps away",
    breach: [
      ["create", "quota", "narrow", "--hard=pods=2"],
      // The quota holds once it was counted.
      ["wait", "quota/narrow", "--for=jsonpath={.status.used.pods}=2", "--timeout=30s"],
      ["scale", "deployment/unity-backend", "--replicas=2"],
    ],
    failed: { pods: "1 of 2 pods ready, 0 of an older ReplicaSet" },
    mend: [
      ["scale", "deployment/unity-backend", "--replicas=1"],
      ["delete", "quota", "narrow"],
    ],
  },
];

/** What the backend's log tells of for some time: only what is named is run. */
export const loggedBreaches: readonly Breach[] = [
  {
    what: "an execution that can't be recorded",
    names: ["execution"],
    breach: ["ALTER TABLE plugin_executions ADD CONSTRAINT none CHECK (status <> 'succeeded')"],
    failed: { execution: "503 for the execution of disk-usage" },
    mend: [
      "ALTER TABLE plugin_executions DROP CONSTRAINT none",
      "DELETE FROM plugin_executions WHERE status = 'running'",
    ],
  },
  {
    what: "the error of that in the log",
    names: ["logs", "execution"],
    breach: [],
    failed: { logs: /^1 of \d+ lines, the last: .*database error in POST .*\/execute/ },
    mend: [],
  },
  {
    what: "plugins that can't be listed",
    names: ["plugins", "health", "tables", "schema"],
    breach: ["UPDATE plugins SET created_at = 'infinity'"],
    failed: { plugins: /the database is not available/ },
    mend: ["UPDATE plugins SET created_at = now()"],
  },
];
