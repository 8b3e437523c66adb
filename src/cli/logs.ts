import { once } from "node:events";
import { createInterface } from "node:readline";
import { isDatabaseError } from "../cluster/database-errors.ts";
import { type Kubectl, redact } from "../cluster/kubectl.ts";
import { workloadSelector } from "../cluster/pods.ts";
import { printableJson } from "../printable.ts";
import type { Deployed } from "./deployed/deployed.ts";
import { openDeployed } from "./deployed/open.ts";
import type { DeployedOptions } from "./deployed/options.ts";
import { styled, terminalText } from "./highlight.ts";
import { type Call, CommandError, type ExitCode, exitCodes, type Result } from "./result.ts";

interface LogsOptions extends DeployedOptions {
  readonly follow?: boolean;
  readonly job?: boolean;
  readonly tail: number;
}

/** A line of a log. */
export interface LogLine {
  /** Pod that wrote it; `null` if kubectl doesn't print it. */
  readonly pod: string | null;
  readonly line: string;
  /** Whether it reports a database error. */
  readonly databaseError: boolean;
}

/**
 * Prints a log.
 *
 * @returns The lines of the log; with `--follow`, one JSON object per line.
 */
export async function run({ options, progress }: Call<LogsOptions>): Promise<Result<readonly LogLine[]> | ExitCode> {
  const { follow, job, json } = options;
  const deployed = await openDeployed(options, progress.print);
  const { kubectl } = deployed;
  const args = job ? await jobArgs(deployed) : podArgs(deployed, options);
  if (follow) args.push("--follow");
  const lines: LogLine[] = [];
  await readLines(kubectl, ["logs", ...args], (line) => {
    if (!json) process.stdout.write(`${terminalText(markLine(line))}\n`);
    else if (follow) process.stdout.write(`${printableJson(parseLine(line))}\n`);
    else lines.push(parseLine(line));
  });
  if (!json || follow) return exitCodes.success;
  return { document: lines, text: "", exitCode: exitCodes.success };
}

function podArgs({ logArgs }: Deployed, { tail, follow }: LogsOptions): string[] {
  const args = [...logArgs, "--prefix", `--tail=${tail}`];
  // By default, kubectl follows at most 5 pods.
  if (follow) args.push("--max-log-requests=100");
  return args;
}

async function jobArgs({ kubectl, app }: Deployed): Promise<string[]> {
  const selector = workloadSelector(app.migrateJob);
  const list = await kubectl
    .get<{ items: { metadata: { name: string } }[] }>("jobs", selector, "--sort-by=.metadata.creationTimestamp")
    .catch((error: Error) => {
      throw new CommandError(`can't list the migration Jobs: ${error.message}`);
    });
  const newest = list.items.at(-1)?.metadata.name;
  if (newest === undefined) throw new CommandError("no migration Job found\nTo create one, run: pulumi up");
  return [`job/${newest}`, "--all-containers"];
}

/**
 * Reads a log as it arrives.
 *
 * @throws {CommandError} If kubectl fails; it prints the cause on standard error.
 */
async function readLines(kubectl: Kubectl, args: readonly string[], take: (line: string) => void): Promise<void> {
  const child = kubectl.start(args);
  const ended = once(child, "close");
  // A reader such as `head` has closed the pipe.
  process.stdout.on("error", () => child.kill());
  for await (const line of createInterface({ input: child.stdout })) take(redact(line));
  const [code] = (await ended) as [number | null];
  if (code !== 0 && code !== null) throw new CommandError("can't read the log");
}

/** Parses a line, which kubectl may prefix with `[pod/<name>/<container>] `. */
export function parseLine(text: string): LogLine {
  const [, pod = null, line = text] = /^\[pod\/([^/\]]+)[^\]]*\] (.*)$/.exec(text) ?? [];
  return { pod, line, databaseError: isDatabaseError(line) };
}

/** Marks a line that reports a database error. */
export function markLine(text: string): string {
  return parseLine(text).databaseError ? styled("bad", `! ${text}`) : `  ${text}`;
}
