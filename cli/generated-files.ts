import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError, exitCodes } from "./command-error.ts";

/** A file that is made from the project's own sources, and committed. */
export interface GeneratedFile {
  /** Relative to the folder that holds them all, with `/`. */
  readonly path: string;
  readonly text: string;
  /** @default false */
  readonly executable?: boolean;
}

/** Options of a command that makes files. */
export interface GeneratedFilesOptions {
  readonly output: string;
  readonly check?: boolean;
}

/** Help on the exit codes of {@link writeOrCheck}. */
export const generatedFilesExitCodes = `
Exit codes:
  0  the files are written; with --check: they are what would be written
  1  with --check: some differ
  2  wrong usage, or a file can't be written`;

/**
 * Writes the files, or with `--check` says which differ and exits with 1.
 *
 * @param command What makes them, as a person would type it.
 * @throws {CommandError} If a file can't be written.
 */
export function writeOrCheck(files: readonly GeneratedFile[], options: GeneratedFilesOptions, command: string): void {
  const differing = files.flatMap((file) => difference(options.output, file) ?? []);
  if (!options.check) {
    for (const file of files) write(options.output, file);
    process.stdout.write(`${files.map(({ path }) => join(options.output, path)).join("\n")}\n`);
  } else if (differing.length > 0) {
    process.stdout.write(`${differing.join("\n")}\nMend: ${command}\n`);
    process.exitCode = exitCodes.differs;
  } else process.stdout.write(`${files.length} files are what \`${command}\` would write.\n`);
}

function write(folder: string, { path, text, executable = false }: GeneratedFile): void {
  const target = join(folder, path);
  try {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    chmodSync(target, executable ? 0o755 : 0o644);
  } catch (error) {
    throw new CommandError(`${target} can't be written: ${error instanceof Error ? error.message : error}`);
  }
}

/** @returns In what the file of a folder differs from what would be written; `undefined` if in nothing. */
function difference(folder: string, { path, text, executable = false }: GeneratedFile): string | undefined {
  const target = join(folder, path);
  const found = read(target);
  if (found === undefined) return `${path} is not there.`;
  if (found === text) {
    const runs = (statSync(target).mode & 0o100) !== 0;
    return runs === executable ? undefined : `${path} ${executable ? "can't" : "can"} be executed.`;
  }
  const [is, wanted] = [found.split("\n"), text.split("\n")];
  const line = wanted.findIndex((each, index) => each !== is[index]);
  const at = line < 0 ? wanted.length : line;
  return `${path}, line ${at + 1}: is ${shown(is[at])}, would be ${shown(wanted[at])}`;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function shown(line: string | undefined): string {
  if (line === undefined) return "the end";
  return JSON.stringify(line.length > 100 ? `${line.slice(0, 97)}...` : line);
}
