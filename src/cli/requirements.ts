import { createHash, type Hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { lockFileName } from "../paths.ts";

/** Files that say what an editable project needs. Its sources are not installed, but linked. */
const metadata = ["pyproject.toml", "setup.cfg", "setup.py"];

/** Folders that no project is installed from: environments, caches, and the output of builds. */
const generated = /^(\..*|__pycache__|node_modules|build|dist|venv|.*\.egg-info)$/;

/** Content of an environment, as `pip install --requirement` makes it. */
export interface Requirements {
  /** Hash of the file, of the files that it includes, and of the local projects and archives that it names. */
  readonly hash: string;
  /** Whether it includes the sources of a local project, which change often. */
  readonly hasSources: boolean;
}

/**
 * Reads what a file of requirements installs.
 *
 * @param file - Path of `requirements.txt`. Relative paths of projects start at its folder, as pip runs there.
 */
export function readRequirements(file: string): Requirements {
  const folder = dirname(resolve(file));
  const hash = createHash("sha256");
  const read = new Set<string>();
  let hasSources = false;
  const add = (path: string) => {
    if (read.has(path) || !existsSync(path)) return;
    read.add(path);
    const text = readFileSync(path, "utf8");
    hash.update(text);
    for (const line of text.replaceAll(/\\\r?\n/g, "").split("\n")) {
      const { included, project, isEditable } = parseLine(line);
      if (included !== undefined) add(resolve(dirname(path), included));
      if (project === undefined) continue;
      hasSources ||= !isEditable;
      addProject(hash, resolve(folder, project), isEditable);
    }
  };
  add(resolve(file));
  return { hash: hash.digest("hex"), hasSources };
}

interface Line {
  /** Another file of requirements or constraints. */
  readonly included?: string | undefined;
  /** Path of a local project or archive. */
  readonly project?: string | undefined;
  readonly isEditable: boolean;
}

/** Parses a line of https://pip.pypa.io/en/stable/reference/requirements-file-format/. */
function parseLine(line: string): Line {
  const text = line.replace(/(^|\s)#.*$/, "").trim();
  const included = /^(?:-r|-c|--requirement|--constraint)[\s=]*(.+)$/.exec(text)?.[1];
  if (included !== undefined) return { included: unquote(included), isEditable: false };
  const editable = /^(?:-e|--editable)[\s=]*(.+)$/.exec(text)?.[1];
  // Without a name, a marker, and extras: `name[extra] @ file:///path ; marker`, `./path[extra]`.
  const target = unquote((editable ?? text).replace(/\s+;.*$|\s+--.*$/, "").replace(/^[\w.[\],-]+\s*@\s*/, ""));
  if (target.startsWith("file:")) return { project: pathOf(target), isEditable: editable !== undefined };
  const isPath = /^\.|\//.test(target) && !/^[\w+]+:\/\//.test(target) && !target.startsWith("-");
  return { project: isPath ? target.replace(/\[[^\]]*\]$/, "") : undefined, isEditable: editable !== undefined };
}

function unquote(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, "$2");
}

/** Returns the path of a `file:` URL, which pip also reads without an authority. */
function pathOf(url: string): string {
  const [location = ""] = url.split("#");
  return location.startsWith("file://") ? fileURLToPath(location) : location.slice("file:".length);
}

function addProject(hash: Hash, path: string, isEditable: boolean): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile()) hash.update(readFileSync(path));
  if (!stats?.isDirectory()) return;
  // An environment leads to the sources of an editable project, and thus belongs to one folder.
  if (isEditable) hash.update(path);
  const files = isEditable ? metadata.map((name) => join(path, name)).filter(existsSync) : sourcesIn(path);
  for (const file of files) hash.update(`\0${relative(path, file)}\0`).update(readFileSync(file));
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !generated.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sourcesIn(path);
      return entry.isFile() && entry.name !== lockFileName ? [path] : [];
    });
}
