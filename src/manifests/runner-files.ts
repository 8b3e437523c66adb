import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../paths.ts";
import { type RunnerFilesOptions, runnerConfigMapData } from "./runner.ts";

/** Reads the runner's files, by name. */
export function readRunnerFiles(): Record<string, string> {
  const folder = join(projectRoot, "src", "runner");
  const names = readdirSync(folder).filter((name) => /\.(py|sh|sql)$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
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
