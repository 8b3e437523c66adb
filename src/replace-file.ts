import { renameSync, type WriteFileOptions, writeFileSync } from "node:fs";

/**
 * Replaces a file atomically, so that a killed run leaves the old one, and a reader never gets a part of it.
 *
 * @param options - Options for writing, such as the mode.
 */
export function replaceFile(path: string, text: string, options?: WriteFileOptions): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, options);
  renameSync(temporary, path);
}
