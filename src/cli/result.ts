import type { Command } from "commander";
import type { LiveState } from "../plan/live-state.ts";
import type { Highlight } from "./highlight.ts";
import type { Progress } from "./progress.ts";

/** Exit codes of `unity`. */
export const exitCodes = { success: 0, differs: 1, usage: 2 } as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error of the command line, the project or the machine that the user can fix: shown without a stack trace. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** How a command was called. */
export interface Call<Options> {
  readonly options: Options & { readonly json?: boolean };
  /** Arguments that are not options. */
  readonly args: readonly string[];
  readonly progress: Progress;
  readonly command: Command;
}

/** What a command found or did. */
export interface Result<Document = unknown> {
  /** What `--json` prints. */
  readonly document: Document;
  /** What is printed without it, without a newline at its end. */
  readonly text: string;
  readonly exitCode: ExitCode;
  /** What of the text stands out on a terminal. @defaultValue nothing */
  readonly highlights?: readonly Highlight[];
}

/** What `--json` prints instead if a command ends without a result; it is the last line of `logs --follow`. */
export interface ErrorDocument {
  /** Why there is none. */
  readonly error: {
    /** What went wrong, and what to do. */
    readonly message: string;
    /** What the command exits with. */
    readonly exitCode: number;
  };
}

/** Returns the exit code of a command that reports the live state. */
export function exitCodeOf({ kind }: LiveState): ExitCode {
  if (kind === "at-head" || kind === "ahead") return exitCodes.success;
  return kind === "unreachable" ? exitCodes.usage : exitCodes.differs;
}
