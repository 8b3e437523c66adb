import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cutAt } from "../lockfile/chain.ts";
import { alembicOptions, breaksOlderCode, type Lock, reviewedFiles } from "../lockfile/lock.ts";
import type { VersionTable } from "../lockfile/version-table.ts";
import { projectRoot } from "../paths.ts";
import { contentHash } from "../plan/job-identity.ts";
import { sqlHash } from "../plan/plan-hash.ts";
import { names } from "./names.ts";

/** Files that describe the chain of an image: the backend's, and the migration Job's if that contains more revisions. */
export const chainFiles = { backend: "chain.json", migration: "migration-chain.json" } as const;

/** Options for the ConfigMap with the runner's files. */
export interface RunnerFilesOptions {
  /** Lockfile of the whole chain. */
  readonly lock: Lock;
  /** Content of the runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
  /**
   * Revisions that the lockfile lacks and this release can run on.
   *
   * @defaultValue none
   */
  readonly toleratedRevisions?: readonly string[] | undefined;
  /**
   * Revision to migrate the database to, where the chain of the backend's image ends.
   *
   * @defaultValue the lockfile's head
   */
  readonly targetRevision?: string | undefined;
}

/** Returns the data of the ConfigMap: the runner's files and the chain that it expects in the image. */
export function runnerConfigMapData(options: RunnerFilesOptions): Record<string, string> {
  const { lock, runnerFiles, toleratedRevisions = [], targetRevision } = options;
  const backendLock = targetRevision === undefined ? lock : cutAt(lock, targetRevision);
  const data: Record<string, string> = {
    ...runnerFiles,
    [chainFiles.backend]: chainJson(backendLock, toleratedRevisions),
  };
  if (targetRevision !== undefined) data[chainFiles.migration] = chainJson(lock, toleratedRevisions);
  return { ...data, ...versionTableFile(lock.versionTable) };
}

/** Returns the file with the name and, if there is one, the schema of Alembic's table, for programs that read no JSON. */
export function versionTableFile({ schema, name }: VersionTable): Record<string, string> {
  return { "version-table.txt": schema === null ? `${name}\n` : `${name}\n${schema}\n` };
}

function chainJson(lock: Lock, toleratedRevisions: readonly string[]): string {
  const revisions = lock.revisions.map((revision) => {
    const { id, title, reversible, reversibleReason, rollbackBlocker } = revision;
    const sql = { upgrade: sqlHash(revision, "upgrade"), downgrade: sqlHash(revision, "downgrade") };
    const { built, repaired } = revision.indexes;
    const indexes = built.length + repaired.length > 0 ? revision.indexes : undefined;
    return {
      ...{ id, title, files: reviewedFiles(revision), sql, reversible, reversibleReason, indexes, rollbackBlocker },
      breaksOlderCode: breaksOlderCode(revision) || undefined,
    };
  });
  const tolerated = toleratedRevisions.length > 0 ? toleratedRevisions : undefined;
  const { heads, versionTable, files } = lock;
  return JSON.stringify({ heads, versionTable, files, revisions, tolerated, alembic: alembicOptions(lock) });
}

/** Returns the name of the ConfigMap. A hash of its content makes changed files a new object, so that pods never mix versions. */
export function runnerConfigMapName(files: Record<string, string>, migrateJob: string = names.migrateJob): string {
  return `${migrateJob}-runner-${contentHash(files)}`;
}

/** Reads the runner's files, by name. */
export function readRunnerFiles(): Record<string, string> {
  const folder = join(projectRoot, "src", "runner");
  const files = readdirSync(folder).filter((name) => /\.(py|sh|sql)$/.test(name));
  return Object.fromEntries(files.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** Maximum bytes of a ConfigMap's values (https://kubernetes.io/docs/concepts/configuration/configmap/#motivation). */
const limit = 1024 * 1024;

/** Returns the bytes of all values. */
function sizeOf(values: Readonly<Record<string, string>>): number {
  return Object.values(values).reduce((size, value) => size + Buffer.byteLength(value), 0);
}

/**
 * Returns why a chain doesn't fit into the ConfigMap with which the runner verifies an image; `null` if it fits.
 *
 * @param options - With a target revision, the ConfigMap contains the chain twice: up to the target, and whole.
 */
export function configMapError(options: RunnerFilesOptions): string | null {
  const { lock, runnerFiles, targetRevision } = options;
  const size = sizeOf(runnerConfigMapData(options));
  if (size <= limit) return null;
  const count = lock.revisions.length;
  const fitting = Math.floor((count * (limit - sizeOf(runnerFiles))) / (size - sizeOf(runnerFiles)));
  const twice = targetRevision === undefined ? "" : " With unity:targetRevision, it contains the chain twice.";
  return (
    `the chain of ${count} revisions doesn't fit into a ConfigMap: ${size} bytes with the runner, at most ${limit}, ` +
    `which is about ${fitting} such revisions.${twice}\n` +
    "Replace the oldest revisions, which every database has, with one that creates the same schema."
  );
}
