import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, matchesGlob } from "node:path";

/**
 * @param patterns Lines of a `.dockerignore`; the last one that matches decides, `!` takes back.
 * @param path Relative to the context.
 * @returns Whether the build doesn't see the file.
 */
export function isIgnored(patterns: readonly string[], path: string): boolean {
  const matches = (pattern: string) => matchesGlob(path, pattern) || matchesGlob(path, `${pattern}/**`);
  const rules = patterns.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  const clean = (rule: string) => rule.replace(/^!/, "").replace(/^\//, "").replace(/\/$/, "");
  return rules.findLast((rule) => matches(clean(rule)))?.startsWith("!") === false;
}

/** @returns The relative paths of all files that decide a build of this context, sorted. */
export function contextFiles(context: string): string[] {
  const ignoreFile = join(context, ".dockerignore");
  const patterns = existsSync(ignoreFile) ? readFileSync(ignoreFile, "utf8").split("\n") : [];
  const walk = (folder: string): string[] =>
    readdirSync(join(context, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path);
      return isIgnored(patterns, path) && path !== "Dockerfile" ? [] : [path];
    });
  return walk("").sort();
}

/** @returns A hash over the names, contents and execution rights of all files that decide a build of this context. */
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
