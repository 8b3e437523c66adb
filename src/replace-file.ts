import { renameSync, writeFileSync } from "node:fs";

/** Replaces a file atomically, so that a killed run leaves the old one, and a reader never gets a part of it. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
