import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import type { Highlight } from "./highlight.ts";
import type { Progress } from "./progress.ts";

/** What a command found or did. */
export interface Result<Document = unknown> {
  /** What `--json` prints. */
  readonly document: Document;
  /** What is printed without it, without a newline at its end. */
  readonly text: string;
  readonly exitCode: ExitCode;
  /** What of the text stands out on a terminal. @default nothing */
  readonly highlights?: readonly Highlight[];
}

/** How a command was called. */
export interface Call<Options> {
  readonly options: Options & { readonly json?: boolean };
  /** Arguments that are no options. */
  readonly args: readonly string[];
  readonly progress: Progress;
  readonly command: Command;
}

/** The module that does what a command is for, loaded only when it is called. */
export interface Runner<Options> {
  /** @returns The result; or only the exit code, if the command has printed all itself. */
  run(call: Call<Options>): Promise<Result | ExitCode>;
}
