import type { LiveState } from "../plan/live-state.ts";
import { exitCodes } from "./command-error.ts";
import type { ExitCode } from "./exit-codes.ts";

/** @returns The exit code of a command that tells the live state. */
export function exitCodeOf({ kind }: LiveState): ExitCode {
  if (kind === "at-head" || kind === "ahead") return exitCodes.success;
  return kind === "unreachable" ? exitCodes.usage : exitCodes.differs;
}
