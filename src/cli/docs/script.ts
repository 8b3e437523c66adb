import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { nameLabel, names, ports } from "../../manifests/names.ts";
import { describeState } from "../../plan/live-state.ts";
import { manifestPaths } from "../render/files.ts";
import type { DocumentInputs } from "./inputs.ts";
import { documentsFolder, origin } from "./markdown.ts";

/** What stands in a sentence for what the script finds. */
const found = "{}";

/** @returns `check_migrations.sh`: what only the release decides, then the body that never changes. */
export function renderScript(inputs: DocumentInputs): string {
  const { settings, release, expected, revisions } = inputs;
  const { image, migrationImage } = settings;
  const say = (state: Parameters<typeof describeState>[0]) => describeState(state, release.lock, settings, settings);
  const unknown = say({ kind: "unknown-revision", revisions: [found] });
  const owned = settings.database.kind === "owned";
  const values = {
    context: settings.context,
    namespace: settings.namespace,
    backend: names.backend,
    postgres: names.postgres,
    workloads: [names.backend, ...(owned ? [names.postgres] : [])].join(", "),
    name_label: nameLabel,
    owns_database: String(owned),
    database: names.database,
    database_owner: names.databaseOwner,
    backend_url: `http://localhost:${ports.backend}`,
    job: names.migrateJob,
    job_path: posix.relative(documentsFolder, manifestPaths.migration),
    job_image: migrationImage === undefined ? image : "", // an image of the Job's own stays
    deadline_seconds: String(settings.timeouts.deadlineSeconds),
    latest: release.head,
    tolerated: settings.toleratedRevisions.join(" "),
    say_at_head: say({ kind: "at-head", revision: release.head }).message,
    say_never_applied: say({ kind: "never-applied" }).message,
    say_behind: say({ kind: "behind", revisions: [found], pending: 0 }).message,
    say_ahead: say({ kind: "ahead", revisions: [found] }).message,
    say_unknown: unknown.message,
    do_unknown: unknown.remediation,
  };
  const lists = { revisions: revisions.map(({ id }) => id), tables: expected.tables };
  return [
    "#!/usr/bin/env bash",
    "# Says where the database is in the chain of revisions, applies what is pending, and verifies the result. It needs",
    `# bash and kubectl. ${origin}`,
    "#",
    "# shellcheck disable=SC2016 # backticks are words for people here",
    "set -euo pipefail",
    "",
    ...Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`),
    ...Object.entries(lists).map(([name, items]) => `${name}=(${items.map(quoted).join(" ")})`),
    "",
    readFileSync(join(import.meta.dirname, "check_migrations.body.sh"), "utf8").trimEnd(),
    "",
  ].join("\n");
}

/** @returns A text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
