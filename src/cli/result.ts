import type { Command } from "commander";
import type { LiveState } from "../plan/live-state.ts";
import type { Highlight } from "./highlight.ts";
import type { Progress } from "./progress.ts";

/** Exit codes of `pulumi-alembic`. */
export const exitCodes = { success: 0, differs: 1, usage: 2 } as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error that the user can fix: in the command line, the project, or the environment. It is shown without a stack trace. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** A call of a command. */
export interface Call<Options> {
  readonly options: Options & { readonly json?: boolean };
  /** Arguments besides the options. */
  readonly args: readonly string[];
  readonly progress: Progress;
  readonly command: Command;
}

/** The result of a command. */
export interface Result<Document = unknown> {
  /** The document for `--json`. */
  readonly document: Document;
  /** The text without `--json`, without a final newline. */
  readonly text: string;
  readonly exitCode: ExitCode;
  /**
   * Parts of texts from other rooms to highlight.
   *
   * @defaultValue none
   */
  readonly highlights?: readonly Highlight[];
  /**
   * Commands for the log of GitHub Actions, one a line, with their texts escaped: on standard output, with `--json` on
   * standard error.
   *
   * @defaultValue none
   */
  readonly workflowCommands?: readonly string[];
}

/** The JSON document of a command that fails without a result; it is the last line of `logs --follow`. */
export interface ErrorDocument {
  readonly error: {
    /** The cause, and how to fix it. */
    readonly message: string;
    /** Exit code of the command. */
    readonly exitCode: number;
  };
}

/** Returns the exit code of a command that reports the database's state. */
export function exitCodeOf({ kind }: LiveState): ExitCode {
  if (kind === "at-head" || kind === "ahead") return exitCodes.success;
  return kind === "unreachable" ? exitCodes.usage : exitCodes.differs;
}
