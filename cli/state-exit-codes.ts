import type { LiveState } from "../migrations/live-state.ts";
import { exitCodes } from "./command-error.ts";

/** Help on the exit codes of the commands that tell the live state. */
export const stateExitCodes = `
Exit codes:
  0  nothing to migrate: the database is at head, or ahead at a revision that the stack tolerates
  1  revisions are pending, nothing is deployed yet, or a person has to decide
  2  wrong usage, or the cluster or the database can't be asked`;

/** @returns The exit code of {@link stateExitCodes}. */
export function exitCodeOf({ kind }: LiveState): number {
  if (kind === "at-head" || kind === "ahead") return exitCodes.success;
  return kind === "unreachable" ? exitCodes.usage : exitCodes.differs;
}
