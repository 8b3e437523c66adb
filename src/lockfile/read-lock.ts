import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { chainCommand } from "../command-line.ts";
import type { FileHashes, Lock } from "./lock.ts";
import { parseLock } from "./parse-lock.ts";

/**
 * Files that Alembic loads as revisions (`_only_source_rev_file` in alembic/script/base.py): any Python source except
 * `__init__.py` and editors' `.#` files.
 */
const revisionFile = /^(?!\.#|__init__).*\.py$/;

/**
 * Reads a lockfile.
 *
 * @throws {Error} If the file doesn't exist.
 * @throws {LockError} If it is invalid.
 */
export function readLock(path: string): Lock {
  if (!existsSync(path)) throw new Error(`lockfile ${path} not found. Run: ${chainCommand("lock", dirname(path))}`);
  return parseLock(readFileSync(path, "utf8"), path);
}

/**
 * Compares the revision files, and the files that they read, with the lockfile. A backend without any of the folders of
 * revisions, of which only the image is used, has nothing to compare.
 *
 * @returns A message for each file that was changed, removed, or added, with the command that fixes it.
 */
export function verifyLockedFiles(lock: Lock, backendFolder: string): string[] {
  const locations = new Set([...lock.versionLocations, ...lock.revisions.map(({ file }) => posix.dirname(file))]);
  const present = [...locations].filter((location) => existsSync(join(backendFolder, location)));
  if (present.length === 0) return [];
  const files = present.flatMap((location) =>
    readdirSync(join(backendFolder, location))
      .filter((name) => revisionFile.test(name))
      .map((name) => posix.join(location, name)),
  );
  const hashes = new Map(files.map((file) => [file, hashFile(join(backendFolder, file))]));
  const revisions = lock.revisions.filter(({ file }) => !isInPackage(file));
  const command = chainCommand("lock", backendFolder);
  return [...compareFiles({ revisions }, hashes, command), ...compareOthers(lock, backendFolder, command)];
}

/** Whether a file is in an installed package, as in `package:path`: only Python finds it, and the runner verifies it. */
export function isInPackage(file: string): boolean {
  return /^[^/]+:/.test(file);
}

/** Returns the SHA-256 of a file in hexadecimal. */
export function hashFile(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** @param hashes - SHA-256 of each file in the folders of revisions, by its path relative to the backend's folder. */
function compareFiles(lock: Pick<Lock, "revisions">, hashes: ReadonlyMap<string, string>, command: string): string[] {
  const errors: string[] = [];
  for (const { id, file, sha256 } of lock.revisions) {
    const hash = hashes.get(file);
    if (hash !== sha256) errors.push(describeChange(`${file} (revision ${id})`, hash, command));
  }
  const locked = new Set(lock.revisions.map(({ file }) => file));
  const added = [...hashes.keys()].filter((file) => !locked.has(file)).sort();
  for (const file of added) errors.push(`${file} is not in the lockfile. Run: ${command}`);
  return errors;
}

/** Compares the files that revisions and env.py read. */
function compareOthers(lock: Lock, backendFolder: string, command: string): string[] {
  const sources: (readonly [reader: string, files: FileHashes])[] = [["", lock.files]];
  for (const { id, files } of lock.revisions) sources.push([` (revision ${id})`, files]);
  return sources.flatMap(([reader, files]) =>
    Object.entries(files).flatMap(([file, sha256]) => {
      if (isInPackage(file)) return [];
      const path = join(backendFolder, file);
      const hash = existsSync(path) ? hashFile(path) : undefined;
      return hash === sha256 ? [] : [describeChange(file + reader, hash, command)];
    }),
  );
}

/** @param hash - That of the file as it is; `undefined` if it doesn't exist. */
function describeChange(file: string, hash: string | undefined, command: string): string {
  return `${file} ${hash === undefined ? "was removed" : "was changed"}. Restore it, or run: ${command}`;
}
