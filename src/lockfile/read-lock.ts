import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Lock, lockCommand } from "./lock.ts";
import { parseLock } from "./parse-lock.ts";
import { compareFiles } from "./verify-files.ts";

/**
 * Files that Alembic loads as revisions (`_only_source_rev_file` in alembic/script/base.py): any Python source but
 * `__init__.py` and editors' `.#` files.
 */
const revisionFile = /^(?!\.#|__init__).*\.py$/;

/** @throws {Error} If there is no such file. @throws {LockError} If it is not a valid lock. */
export function readLock(path: string): Lock {
  if (!existsSync(path)) throw new Error(`There is no lock at ${path}: run \`${lockCommand}\`.`);
  return parseLock(readFileSync(path, "utf8"), path);
}

/**
 * Compares the revision files with the lock. A backend whose folders of revisions are all absent (only its image is
 * used) has nothing to compare.
 *
 * @returns A sentence for each difference, with the command that mends it.
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
  return compareFiles(lock, new Map(files.map((file) => [file, hashFile(join(backendFolder, file))])));
}

/** @returns SHA-256 of the file's bytes, in hexadecimal. */
export function hashFile(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
