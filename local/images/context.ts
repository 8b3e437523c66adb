import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import dockerIgnore from "@balena/dockerignore";

/** Returns the relative paths of all files that affect a build of this context, sorted. */
export function contextFiles(context: string): string[] {
  const ignoreFile = join(context, ".dockerignore");
  const patterns = existsSync(ignoreFile) ? readFileSync(ignoreFile, "utf8").split("\n") : [];
  const ignore = dockerIgnore.default({ ignorecase: false }).add(patterns);
  const files: string[] = [];
  const addFiles = (folder: string) => {
    for (const entry of readdirSync(join(context, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) addFiles(path);
      else if (path === "Dockerfile" || !ignore.ignores(path)) files.push(path);
    }
  };
  addFiles("");
  return files.sort();
}

/** Returns a hash of the names, contents, and execute permissions of all files that affect a build of this context. */
export function contextHash(context: string): string {
  const hash = createHash("sha256");
  for (const file of contextFiles(context)) {
    const path = join(context, file);
    const stat = lstatSync(path);
    const content = stat.isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path);
    hash.update(`${file}\0${stat.isSymbolicLink() ? "link" : stat.mode & 0o111}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}
