import { once } from "node:events";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError, Option } from "commander";
import { Kubectl, redact } from "../../cluster/kubectl.ts";
import { workloadSelector } from "../../cluster/pods.ts";
import { names } from "../../manifests/names.ts";
import { CommandError, exitCodes } from "../command-error.ts";
import { addStackOptions, readTarget, type StackOptions } from "../stack-options.ts";
import { markLine, takesColours } from "./mark.ts";

interface LogsOptions extends StackOptions {
  readonly follow?: boolean;
  readonly job?: boolean;
  readonly tail: number;
}

const help = `
A line that tells of a database error begins with "! ".

Exit codes:
  0  the log is shown
  2  wrong usage, or there is no log`;

/** @returns The command `unity logs`. */
export function logsProgram(): Command {
  return addStackOptions(new Command("logs"))
    .description("Show the backend's log, or the newest migrate Job's, with database errors marked.")
    .option("-f, --follow", "go on with what comes")
    .option("--job", "the migrate Job's, all of it")
    .addOption(new Option("--tail <lines>", "the last so many lines of each pod").default(50).argParser(wholeNumber))
    .addHelpText("after", help)
    .exitOverride()
    .action(async (options: LogsOptions) => {
      const kubectl = new Kubectl(readTarget(options).target);
      const follow = options.follow ? ["--follow"] : [];
      const words = options.job ? await jobWords(kubectl) : backendWords(options);
      await show(kubectl, ["logs", ...words, ...follow]);
    });
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

/** Prints a log as it comes. @throws {CommandError} If kubectl fails; what it says goes to standard error. */
async function show(kubectl: Kubectl, words: readonly string[]): Promise<void> {
  const child = kubectl.start(words);
  const ended = once(child, "close");
  // The reader, such as `head`, has had enough.
  process.stdout.on("error", () => child.kill());
  const colours = takesColours(process.stdout, process.env);
  for await (const line of createInterface({ input: child.stdout })) {
    process.stdout.write(`${markLine(redact(line), colours)}\n`);
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0 && code !== null) process.exitCode = exitCodes.usage;
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 0.");
  return Number(text);
}
