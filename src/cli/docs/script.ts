import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { psqlScript } from "../../cluster/database-query.ts";
import { answerMark, transactionSetup } from "../../cluster/pod-program.ts";
import { jobDeadlineSeconds } from "../../manifests/migrate-job.ts";
import { nameLabel, names, ports } from "../../manifests/names.ts";
import { describeState } from "../../plan/state-report.ts";
import { manifestPaths } from "../render/files.ts";
import type { DocumentInputs } from "./inputs.ts";
import { documentsFolder, origin } from "./markdown.ts";

/** The rows of Alembic's table, separated by spaces, as psql prints them: the ids have no quotes. */
const revisionQuery =
  "SELECT to_json(coalesce(string_agg(version_num, ' ' ORDER BY version_num), '')) FROM ONLY :relation";
const tablesQuery = `SELECT '${answerMark}' || schemaname || '.' || tablename FROM pg_catalog.pg_tables;`;

/** Placeholder in messages for the revision that the script finds. */
const found = "{}";

/** Returns `check_migrations.sh`: the release's values and the static body. */
export function renderScript(inputs: DocumentInputs): string {
  const { settings, release, expected, revisions } = inputs;
  const { image, migrationImage } = settings;
  const describe = (state: Parameters<typeof describeState>[0]) =>
    describeState(state, release.lock, settings, settings);
  const unknown = describe({ kind: "unknown-revision", revisions: [found] });
  const owned = settings.database.kind === "owned";
  const values = {
    context: settings.context ?? "",
    namespace: settings.namespace,
    backend: names.backend,
    postgres: names.postgres,
    workloads: owned ? `${names.backend}, ${names.postgres}` : names.backend,
    name_label: nameLabel,
    owns_database: String(owned),
    database: names.database,
    database_owner: names.databaseOwner,
    answer_mark: answerMark,
    revision_sql: psqlScript(
      { table: release.lock.versionTable, query: revisionQuery },
      settings.clusterTimeoutSeconds,
    ),
    tables_sql: ["BEGIN", ...transactionSetup, tablesQuery].join(";\n"),
    backend_url: `http://localhost:${ports.backend}`,
    job: names.migrateJob,
    job_path: posix.relative(documentsFolder, manifestPaths.migration),
    job_image: migrationImage === undefined ? image : "", // The script keeps a separate image of the Job.
    deadline_seconds: String(jobDeadlineSeconds({ ...settings, restorePointImage: settings.restorePoint?.image })),
    latest: release.head,
    tolerated: settings.toleratedRevisions.join(" "),
    at_head_message: describe({ kind: "at-head", revision: release.head }).message,
    never_applied_message: describe({ kind: "never-applied" }).message,
    behind_message: describe({ kind: "behind", revisions: [found], pending: 0 }).message,
    ahead_message: describe({ kind: "ahead", revisions: [found] }).message,
    unknown_message: unknown.message,
    unknown_remediation: unknown.remediation,
  };
  const lists = { revisions: revisions.map(({ id }) => id), tables: expected.tables };
  return [
    "#!/usr/bin/env bash",
    "# Shows the database's revision, applies pending revisions, and verifies the result. Requires bash and kubectl.",
    `# ${origin}`,
    "#",
    "# shellcheck disable=SC2016 # backticks are part of messages",
    "set -euo pipefail",
    "",
    ...Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`),
    ...Object.entries(lists).map(([name, items]) => `${name}=(${items.map(quote).join(" ")})`),
    "",
    readFileSync(join(import.meta.dirname, "check_migrations.body.sh"), "utf8").trimEnd(),
    "",
  ].join("\n");
}

/** Quotes a text for a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
