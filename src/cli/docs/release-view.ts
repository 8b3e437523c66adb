import { nameLabel, names } from "../../manifests/names.ts";
import { backendCommands, kubectlFor, manifestPaths, migrationCommands } from "../render/files.ts";
import type { DocumentInputs } from "./inputs.ts";
import { markdownOrigin, scriptCommand } from "./markdown.ts";
import type { View } from "./template.ts";

/** Returns the values that the guide and the quick start have in common. */
export function releaseView(inputs: DocumentInputs): View {
  const { settings, expected } = inputs;
  const [removeJob = "", applyJob = "", jobLogs = "", awaitJob = ""] = migrationCommands(settings);
  const kubectl = kubectlFor(settings);
  return {
    origin: markdownOrigin,
    context: settings.context ?? "current",
    namespace: settings.namespace,
    head: expected.head,
    backend: names.backend,
    image: settings.image,
    postgres: names.postgres,
    postgresService: names.postgresService,
    database: names.database,
    databaseOwner: names.databaseOwner,
    ownsDatabase: settings.database.kind === "owned",
    job: names.migrateJob,
    jobFile: manifestPaths.migration,
    jobLog: jobLog(inputs).join("\n"),
    nameLabel,
    script: scriptCommand,
    scriptOutput: scriptOutput(inputs).join("\n"),
    kubectl,
    inBackend: `${kubectl} exec -n ${settings.namespace} deployment/${names.backend} --`,
    removeJob,
    startJob: `${applyJob}\n${jobLogs}`,
    awaitJob,
    rollOut: backendCommands(settings).join("\n"),
  };
}

/** Returns the log of a Job that applies the whole chain; `…` stands for a duration. */
export function jobLog({ revisions, release }: Pick<DocumentInputs, "revisions" | "release">): readonly string[] {
  const total = revisions.length;
  const place = release.lock.heads.includes(release.head) ? "head" : "target";
  return [
    `Database is at no revision; ${total} of ${total} revisions are pending`,
    ...revisions.map(({ position, id, title }) => `${position}/${total}  ${id}  ${title}  …s`),
    `Database is up to date (${place} ${release.head})`,
  ];
}

/** Returns the end of the script's output if all is well. */
export function scriptOutput({ expected, settings }: DocumentInputs): readonly string[] {
  const isOwned = settings.database.kind === "owned";
  const workloads = isOwned ? `${names.backend}, ${names.postgres}` : names.backend;
  const lines = [
    `Latest revision: ${expected.head}`,
    "…",
    "Verifying:",
    `  ok      the database is at ${expected.head}`,
    `  ok      every pod of ${workloads} runs`,
    "  ok      the backend and its database are healthy",
    "  ok      the backend lists its plugins",
  ];
  if (isOwned) lines.push(`  ok      the database has all ${expected.tables.length} tables`);
  lines.push("Done.");
  return lines;
}
