import { spawn } from "node:child_process";

/** A command that ended with another code than 0, or could not be started. */
class CommandError extends Error {
  readonly stderr: string;
  constructor(command: string, args: readonly string[], reason: string, stderr: string) {
    super(`${[command, ...args].join(" ")}: ${reason}\n${stderr.trim().split("\n").slice(-20).join("\n")}`);
    this.name = "CommandError";
    this.stderr = stderr;
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
 * @throws CommandError with the end of its standard error, unless it ends with 0.
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
    child.on("error", (error) => reject(new CommandError(command, args, error.message, stderr)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new CommandError(command, args, signal ?? `exit code ${code}`, stderr || stdout));
    });
    child.stdin.on("error", () => {}); // a command that reads nothing closes it
    child.stdin.end(options.input ?? "");
  });
}

/** @returns Standard output of a command, or "" if it fails: for questions whose answer may be "there is none". */
export async function ask(command: string, args: readonly string[]): Promise<string> {
  return run(command, args).catch(() => "");
}
