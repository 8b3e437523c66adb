import { once } from "node:events";
import { createInterface } from "node:readline";
import { styleText } from "node:util";
import { isDatabaseError } from "../cluster/database-errors.ts";
import { Kubectl, redact } from "../cluster/kubectl.ts";
import { workloadSelector } from "../cluster/pods.ts";
import { names } from "../manifests/names.ts";
import { formats } from "./highlight.ts";
import { type Call, CommandError, type ExitCode, exitCodes, type Result } from "./result.ts";
import { readTarget, type StackOptions } from "./stack.ts";

interface LogsOptions extends StackOptions {
  readonly follow?: boolean;
  readonly job?: boolean;
  readonly tail: number;
}

/**
 * Shows a log as it comes; as one JSON document only once it has ended.
 *
 * @returns Lines of the log; with `--follow`, no array: one line of JSON for each.
 */
export async function run({ options }: Call<LogsOptions>): Promise<Result<readonly LogLine[]> | ExitCode> {
  const { follow, job, json } = options;
  const kubectl = new Kubectl(readTarget(options).target);
  const args = job ? await jobWords(kubectl) : backendWords(options);
  const lines: LogLine[] = [];
  await read(kubectl, ["logs", ...args, ...(follow ? ["--follow"] : [])], (line) => {
    if (!json) process.stdout.write(`${markLine(line)}\n`);
    else if (follow) process.stdout.write(`${JSON.stringify(parseLine(line))}\n`);
    else lines.push(parseLine(line));
  });
  if (!json || follow) return exitCodes.success;
  return { document: lines, text: "", exitCode: exitCodes.success };
}

function backendWords({ tail, follow }: LogsOptions): readonly string[] {
  // Of more pods than five, kubectl follows none by itself.
  const all = follow ? ["--max-log-requests=100"] : [];
  return [workloadSelector(names.backend), `--container=${names.backend}`, "--prefix", `--tail=${tail}`, ...all];
}

async function jobWords(kubectl: Kubectl): Promise<readonly string[]> {
  const selector = workloadSelector(names.migrateJob);
  const list = await kubectl
    .get<{ items: { metadata: { name: string } }[] }>("jobs", selector, "--sort-by=.metadata.creationTimestamp")
    .catch((error: Error) => {
      throw new CommandError(`The migrate Jobs can't be listed: ${error.message}`);
    });
  const newest = list.items.at(-1)?.metadata.name;
  if (newest === undefined) throw new CommandError("There is no migrate Job: `pulumi up` or `unity apply` makes one.");
  return [`job/${newest}`, "--all-containers"];
}

/** Reads a log as it comes. @throws {CommandError} If kubectl fails, which says why on standard error. */
async function read(kubectl: Kubectl, args: readonly string[], take: (line: string) => void): Promise<void> {
  const child = kubectl.start(args);
  const ended = once(child, "close");
  // The reader, such as `head`, has had enough.
  process.stdout.on("error", () => child.kill());
  for await (const line of createInterface({ input: child.stdout })) take(redact(line));
  const [code] = (await ended) as [number | null];
  if (code !== 0 && code !== null) throw new CommandError("The log can't be read: kubectl says why.");
}

/** One line of a log. */
export interface LogLine {
  /** The pod that wrote it; `null` where kubectl does not say it. */
  readonly pod: string | null;
  readonly line: string;
  /** Whether it tells of a database error. */
  readonly databaseError: boolean;
}

/** @returns What a line says that kubectl may have put `[pod/<name>/<container>] ` before. */
export function parseLine(text: string): LogLine {
  const [, pod = null, line = text] = /^\[pod\/([^/\]]+)[^\]]*\] (.*)$/.exec(text) ?? [];
  return { pod, line, databaseError: isDatabaseError(line) };
}

/** @returns The line with a mark in front if it tells of a database error; on a terminal in colour as well. */
export function markLine(text: string, stream: NodeJS.WritableStream = process.stdout): string {
  return parseLine(text).databaseError ? styleText(formats.bad, `! ${text}`, { stream }) : `  ${text}`;
}
