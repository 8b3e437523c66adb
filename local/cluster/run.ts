import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { redact } from "../../src/cluster/kubectl.ts";

/** System folders that a user's PATH may lack. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** @returns A PATH with the system folders that it lacks at its end. */
export function withSystemFolders(path: string): string {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return [...folders, ...systemFolders.filter((folder) => !folders.includes(folder))].join(delimiter);
}

// Here, since whatever starts, stops or looks passes here, and so do the programs that these programs start.
process.env.PATH = withSystemFolders(process.env.PATH ?? "");

/** A program that ended with another code than 0, or could not be started. */
class ProgramError extends Error {
  override name = "ProgramError";
  /** Whether there is no such program. */
  readonly isMissing: boolean;

  constructor(command: string, args: readonly string[], reason: string, output: string, isMissing = false) {
    const end = output.trim().split("\n").slice(-20).join("\n");
    super(redact(`${[command, ...args].join(" ")}: ${reason}\n${end}`));
    this.isMissing = isMissing;
  }
}

/** How {@link run} runs a command. */
export interface RunOptions {
  /** @default The own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** @default The own working directory. */
  readonly cwd?: string;
  /** Text for standard input. @default None. */
  readonly input?: string;
  /** Receives each line of standard error and standard output as it comes. @default None. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a command to its end.
 * @returns Its standard output.
 * @throws {ProgramError} With the end of its standard error, passwords of URLs removed, unless it ends with 0.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    const tell = (text: string) => {
      for (const line of text.split(/[\r\n]+/)) if (line !== "") options.onLine?.(line);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      tell(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      tell(text);
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(new ProgramError(command, args, error.message, stderr, error.code === "ENOENT")),
    );
    child.on("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new ProgramError(command, args, signal ?? `exit code ${code}`, stderr || stdout));
    });
    child.stdin.on("error", () => {}); // a command that reads nothing closes it
    child.stdin.end(options.input ?? "");
  });
}

/**
 * @returns Standard output of a command, or "" if it fails: for questions whose answer may be "there is none".
 * @throws {ProgramError} If the program is missing: that is no answer.
 */
export async function ask(command: string, args: readonly string[]): Promise<string> {
  return run(command, args).catch((error: ProgramError) => {
    if (error.isMissing) throw error;
    return "";
  });
}
