import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CommandError } from "../result.ts";

/** Bytes from the first to before the last, in a file. */
export type Span = readonly [start: number, end: number];

/** Where a revision file declares what Alembic reads from it. */
export interface Declarations {
  /** Lines from 1. What the file doesn't declare at its top level is absent. */
  readonly lines: Readonly<Partial<Record<"revision" | "down_revision" | "upgrade" | "downgrade", number>>>;
  /** `null` without one, or if the file can't be edited by bytes. */
  readonly docstring: Span | null;
  /** Each value of `down_revision`; `null` if it is computed, or the file can't be edited by bytes. */
  readonly downRevisions: readonly { readonly value: string | null; readonly span: Span }[] | null;
}

const script = join(import.meta.dirname, "declarations.py");

/**
 * Reads revision files with Python's own parser, without executing them.
 *
 * @param folder - Folder to which the paths are relative.
 * @throws {CommandError} If Python can't be run.
 */
export function readDeclarations(
  python: string,
  folder: string,
  files: readonly string[],
): ReadonlyMap<string, Declarations> {
  if (files.length === 0) return new Map();
  const { status, stdout, stderr, error } = spawnSync(python, ["-B", script, ...files], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new CommandError(`can't run ${python}: ${error?.message ?? stderr.trim()}`);
  return new Map(Object.entries(JSON.parse(stdout) as Record<string, Declarations>));
}
