import { CommanderError } from "commander";
import { LockError } from "../lockfile/parse-lock.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { endWith } from "./end-with.ts";
import type { ErrorDocument } from "./json-documents.ts";

/** Says what kept a command from its result, as JSON on standard output if that was asked for, and ends. */
export async function reportError(error: unknown, json: boolean): Promise<void> {
  const own = error instanceof CommandError || error instanceof LockError;
  const usage = error instanceof CommanderError;
  // Commander has shown the help that was asked for.
  if (usage && error.exitCode === 0) return endWith("", exitCodes.success);
  const message = error instanceof Error ? error.message : String(error);
  if (own && !json) process.stderr.write(`unity: ${message}\n`);
  // A fault of this program: what it says helps to find it.
  if (!own && !usage) process.stderr.write(`${error instanceof Error ? error.stack : message}\n`);
  const document: ErrorDocument = {
    error: { message: usage ? message.replace(/^error: /, "") : message, exitCode: exitCodes.usage },
  };
  await endWith(json ? JSON.stringify(document) : "", exitCodes.usage);
}
