import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError, exitCodes, type Result } from "./result.ts";

/** A committed file that is generated from the project's sources. */
export interface GeneratedFile {
  /** Path relative to the output folder, with `/`. */
  readonly path: string;
  readonly text: string;
  /** @defaultValue false */
  readonly executable?: boolean;
}

/** Options of a command that generates files. */
export interface GeneratedFilesOptions {
  readonly output: string;
  readonly check?: boolean;
}

/** The outcome of a command that generates files. */
export interface WrittenOrChecked {
  /** Paths of the files, relative to the folder of `--output`. */
  readonly files: readonly string[];
  /** Whether the files were written: `false` with `--check`. */
  readonly written: boolean;
  /** With `--check`: one message for each stale file. */
  readonly differences: readonly string[];
}

/**
 * Writes the files, or with `--check` reports which are stale.
 *
 * @param command - The command that generates the files.
 * @throws {CommandError} If a file can't be written.
 */
export function writeOrCheck(
  files: readonly GeneratedFile[],
  { output, check = false }: GeneratedFilesOptions,
  command: string,
): Result<WrittenOrChecked> {
  const paths = files.map(({ path }) => path);
  if (!check) {
    for (const file of files) write(output, file);
    return {
      document: { files: paths, written: true, differences: [] },
      text: paths.map((path) => join(output, path)).join("\n"),
      exitCode: exitCodes.success,
    };
  }
  const differences = files.flatMap((file) => difference(output, file) ?? []);
  const isStale = differences.length > 0;
  return {
    document: { files: paths, written: false, differences },
    text: isStale ? `${differences.join("\n")}\nRun: ${command}` : `${files.length} files are up to date`,
    exitCode: isStale ? exitCodes.differs : exitCodes.success,
  };
}

function write(folder: string, { path, text, executable = false }: GeneratedFile): void {
  const target = join(folder, path);
  attempt(target, () => {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    chmodSync(target, executable ? 0o755 : 0o644);
  });
}

/**
 * Writes or replaces a file.
 *
 * @throws {CommandError} If it can't be written.
 */
export function writeText(file: string, text: string): void {
  attempt(file, () => writeFileSync(file, text));
}

function attempt(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new CommandError(`can't write ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Describes how a file differs from the generated one; returns `undefined` if it doesn't. */
function difference(folder: string, { path, text, executable = false }: GeneratedFile): string | undefined {
  const target = join(folder, path);
  const found = read(target);
  if (found === undefined) return `${path}: missing`;
  if (found === text) {
    const isExecutable = (statSync(target).mode & 0o100) !== 0;
    return isExecutable === executable ? undefined : `${path}: ${executable ? "not executable" : "executable"}`;
  }
  const actual = found.split("\n");
  const expected = text.split("\n");
  const differing = expected.findIndex((line, index) => line !== actual[index]);
  const at = differing < 0 ? expected.length : differing;
  return `${path}:${at + 1}: found ${quote(actual[at])}, expected ${quote(expected[at])}`;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function quote(line: string | undefined): string {
  if (line === undefined) return "the end of the file";
  return JSON.stringify(line.length > 100 ? `${line.slice(0, 97)}...` : line);
}
