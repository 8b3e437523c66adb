import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError, exitCodes, type Result } from "./result.ts";

/** A file that is made from the project's own sources, and committed. */
export interface GeneratedFile {
  /** Relative to the folder that holds them all, with `/`. */
  readonly path: string;
  readonly text: string;
  /** @defaultValue false */
  readonly executable?: boolean;
}

/** Options of a command that makes files. */
export interface GeneratedFilesOptions {
  readonly output: string;
  readonly check?: boolean;
}

/** What a command that makes files did. */
export interface WrittenOrChecked {
  /** Paths of the files, relative to the folder of `--output`. */
  readonly files: readonly string[];
  /** Whether they were written: not so with `--check`. */
  readonly written: boolean;
  /** With `--check`: a sentence on each file that is not what would be written. */
  readonly differences: readonly string[];
}

/**
 * Writes the files, or with `--check` says which differ.
 *
 * @param command What makes them, as a person would type it.
 * @throws {CommandError} If a file can't be written.
 */
export function writeOrCheck(
  files: readonly GeneratedFile[],
  { output, check = false }: GeneratedFilesOptions,
  command: string,
): Result<WrittenOrChecked> {
  const differences = check ? files.flatMap((file) => difference(output, file) ?? []) : [];
  if (!check) for (const file of files) write(output, file);
  const paths = files.map(({ path }) => path);
  const text = !check
    ? paths.map((path) => join(output, path)).join("\n")
    : differences.length > 0
      ? `${differences.join("\n")}\nMend: ${command}`
      : `${files.length} files are what \`${command}\` would write.`;
  return {
    document: { files: paths, written: !check, differences },
    text,
    exitCode: differences.length > 0 ? exitCodes.differs : exitCodes.success,
  };
}

function write(folder: string, { path, text, executable = false }: GeneratedFile): void {
  const target = join(folder, path);
  writing(target, () => {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    chmodSync(target, executable ? 0o755 : 0o644);
  });
}

/** Writes a file in place of the one that was there. @throws {CommandError} If it can't be written. */
export function writeText(file: string, text: string): void {
  writing(file, () => writeFileSync(file, text));
}

function writing(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new CommandError(`${file} can't be written: ${error instanceof Error ? error.message : error}`);
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
