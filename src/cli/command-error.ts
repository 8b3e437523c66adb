/** Exit codes of `unity`. */
export const exitCodes = { success: 0, differs: 1, usage: 2 } as const;

/** A fault of the command line, the project or the machine that the user can mend: shown without a stack trace. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
