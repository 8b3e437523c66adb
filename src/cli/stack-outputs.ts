import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../paths.ts";
import { parseRecords, type StackReleases } from "../promotion/record.ts";
import { CommandError } from "./result.ts";

const run = promisify(execFile);
/** Maximum bytes of outputs; those of this program are a few thousand. */
const maxBuffer = 8 * 1024 * 1024;
const args = (stack: string) => ["--json", "--stack", stack];

/** Prints a stack's outputs with the Pulumi CLI, or with the embedded engine if the CLI is not on `PATH`. */
async function printOutputs(stack: string): Promise<string> {
  const options = { cwd: projectRoot, maxBuffer };
  try {
    return (await run("pulumi", ["stack", "output", ...args(stack)], options)).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const engine = join(projectRoot, "local", "engine", "main.ts");
  return (await run(process.execPath, [engine, "stack-output", ...args(stack)], options)).stdout;
}

/**
 * Reads the releases that a stack has recorded, newest first.
 *
 * @throws {CommandError} If its outputs can't be read.
 */
export async function readRecords(stack: string): Promise<StackReleases> {
  try {
    return parseRecords((JSON.parse(await printOutputs(stack)) as { releases?: unknown }).releases);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const cause = stderr?.trim().replace(/^error: /, "") || message;
    throw new CommandError(`can't read the outputs of stack ${stack}: ${cause}`);
  }
}
