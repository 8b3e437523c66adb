import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { redact } from "../../src/cluster/kubectl.ts";

/** System folders that a user's PATH may lack. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Appends the system folders that a PATH lacks. */
export function withSystemFolders(path: string): string {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  for (const folder of systemFolders) if (!folders.includes(folder)) folders.push(folder);
  return folders.join(delimiter);
}

// Everything in this folder that runs a program imports this module, and the programs inherit the variable.
process.env.PATH = withSystemFolders(process.env.PATH ?? "");

/** The error of a program that failed or could not be started. */
class ProgramError extends Error {
  override name = "ProgramError";
  /** Whether the program is not installed. */
  readonly isMissing: boolean;

  constructor(command: string, args: readonly string[], reason: string, output: string, isMissing = false) {
    const lastLines = output.trim().split("\n").slice(-20).join("\n");
    super(redact(`${[command, ...args].join(" ")}: ${reason}\n${lastLines}`));
    this.isMissing = isMissing;
  }
}

/** Options of {@link run}. */
export interface RunOptions {
  /** @defaultValue The environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** @defaultValue The working directory of this process. */
  readonly cwd?: string;
  /** Text for standard input. */
  readonly input?: string;
  /** Receives each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a command and returns its standard output.
 *
 * @throws {ProgramError} If the command fails, with the end of its standard error and without passwords of URLs.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { env, cwd, input = "", onLine } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    const reportLines = (text: string) => {
      for (const line of text.split(/[\r\n]+/)) if (line !== "") onLine?.(line);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      reportLines(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      reportLines(text);
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(new ProgramError(command, args, error.message, stderr, error.code === "ENOENT")),
    );
    child.on("close", (code, endedBy) => {
      if (code === 0) resolve(stdout);
      else reject(new ProgramError(command, args, endedBy ?? `exit code ${code}`, stderr || stdout));
    });
    child.stdin.on("error", () => {}); // A command that reads nothing closes it.
    child.stdin.end(input);
  });
}

/** Returns the standard output of a command, or `undefined` if it fails. Throws if the program is not installed. */
async function attempt(command: string, args: readonly string[], options?: RunOptions): Promise<string | undefined> {
  try {
    return await run(command, args, options);
  } catch (error) {
    if (error instanceof ProgramError && !error.isMissing) return undefined;
    throw error;
  }
}

/**
 * Runs a query and returns its standard output, or "" if it fails because there is nothing to show.
 *
 * @throws {ProgramError} If the program is not installed.
 */
export async function outputOf(command: string, args: readonly string[]): Promise<string> {
  return (await attempt(command, args)) ?? "";
}

/**
 * Runs a command and returns whether it succeeded.
 *
 * @throws {ProgramError} If the program is not installed.
 */
export async function succeeds(command: string, args: readonly string[], options?: RunOptions): Promise<boolean> {
  return (await attempt(command, args, options)) !== undefined;
}
