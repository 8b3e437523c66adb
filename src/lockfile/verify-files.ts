import { type Lock, lockCommand } from "./lock.ts";

/** SHA-256 of each file in the folders of revisions, by its path relative to the backend's folder. */
export type FileHashes = ReadonlyMap<string, string>;

const mend = `run \`${lockCommand}\``;

/** @returns A sentence for each revision file that was changed, removed or added since the lock was written. */
export function compareFiles(lock: Lock, files: FileHashes): string[] {
  const locked = new Set(lock.revisions.map(({ file }) => file));
  const errors = lock.revisions.flatMap(({ id, file, sha256 }) => {
    const hash = files.get(file);
    if (hash === undefined) return [`${file} (revision ${id}) is locked and was removed: restore it, or ${mend}`];
    if (hash !== sha256) return [`${file} (revision ${id}) is not the file that was locked: restore it, or ${mend}`];
    return [];
  });
  const added = [...files.keys()].filter((file) => !locked.has(file)).sort();
  return [...errors, ...added.map((file) => `${file} is not in the lock: ${mend}`)];
}
