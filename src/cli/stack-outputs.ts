import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../paths.ts";
import { parseRecords, type ReleaseRecord } from "../promotion/record.ts";
import { CommandError } from "./result.ts";

const run = promisify(execFile);
/** Bytes of outputs that are read; those of this program are some thousands. */
const maxBuffer = 8 * 1024 * 1024;
const args = (stack: string) => ["--json", "--stack", stack];

/** What prints a stack's outputs: the Pulumi CLI, or where it isn't on PATH the embedded engine. */
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
 * @returns The releases that a stack has recorded, the newest first.
 * @throws {CommandError} If its outputs can't be read: with why.
 */
export async function readRecords(stack: string): Promise<readonly ReleaseRecord[]> {
  try {
    return parseRecords((JSON.parse(await printOutputs(stack)) as { releases?: unknown }).releases);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new CommandError(`The outputs of stack ${stack} can't be read: ${stderr?.trim() || message}`);
  }
}
