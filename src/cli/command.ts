import { Command, CommanderError } from "commander";
import { LockError } from "../lockfile/parse-lock.ts";
import { messageOf, printable, printableJson } from "../printable.ts";
import { highlight, terminalText } from "./highlight.ts";
import { startProgress } from "./progress.ts";
import { type Call, CommandError, type ErrorDocument, type ExitCode, exitCodes, type Result } from "./result.ts";

/** Meanings of the exit codes that a command has. */
export type ExitCodeMeanings = Readonly<Partial<Record<ExitCode, string>>>;

/** A command whose result is printed as text or as JSON. */
export interface CommandDefinition {
  readonly name: string;
  readonly description: string;
  /** Adds arguments and options. */
  readonly configure?: (command: Command) => Command;
  /** Notes in the help, between options and exit codes. */
  readonly help?: string;
  readonly exitCodes: ExitCodeMeanings;
  /**
   * Title of the progress line.
   *
   * @defaultValue no progress line
   */
  readonly progress?: string;
  /** Imports the implementation, only when the command is called. */
  readonly load: () => Promise<Runner>;
}

/** A module that implements a command. Its options are those that {@link CommandDefinition.configure} adds. */
interface Runner {
  /** Returns the result, or only the exit code if the command has printed everything itself. */
  run(call: Call<object>): Promise<Result | ExitCode>;
}

/** Returns a commander command with `--json` and the exit codes in its help. */
export function createCommand(definition: CommandDefinition): Command {
  const { name, description, configure = (command) => command, help, exitCodes: meanings } = definition;
  const notes = help === undefined ? "" : `${help}\n\n`;
  return configure(new Command(name).description(description))
    .option("--json", "print the result as JSON, and nothing else on standard output")
    .addHelpText("after", `\n${notes}${exitCodesHelp(meanings)}`)
    .action((...given: readonly unknown[]) => runCommand(definition, given.at(-1) as Command));
}

async function runCommand({ name, progress: title, load }: CommandDefinition, command: Command): Promise<void> {
  const options = command.opts<{ readonly json?: boolean }>();
  const { run } = await load();
  const progress = startProgress(title ?? name);
  if (title === undefined) progress.end();
  const result = await run({ options, args: command.args, progress, command }).finally(() => progress.end());
  if (typeof result === "number") return endWith("", result);
  const { document, text, exitCode, highlights = [], workflowCommands = [] } = result;
  const stream = options.json ? process.stderr : process.stdout;
  for (const line of workflowCommands) stream.write(`${line}\n`);
  await endWith(options.json ? printableJson(document, 2) : highlight(terminalText(text), highlights), exitCode);
}

/** Returns the part of a command's help that lists its exit codes. */
export function exitCodesHelp(meanings: ExitCodeMeanings): string {
  return ["Exit codes:", ...Object.entries(meanings).map(([code, meaning]) => `  ${code}  ${meaning}`)].join("\n");
}

/** Returns the commands that help lists, without commander's own `help`. */
export function visibleCommands(program: Command): readonly Command[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((each) => each.name() !== "help");
}

/** Prints an error, as JSON on standard output if requested, and exits. */
export async function reportError(error: unknown, json: boolean): Promise<void> {
  const own = error instanceof CommandError || error instanceof LockError;
  const usage = error instanceof CommanderError;
  // Commander has printed the requested help.
  if (usage && error.exitCode === 0) return endWith("", exitCodes.success);
  const message = messageOf(error);
  if (own && !json) process.stderr.write(`error: ${message}\n`);
  // A bug: its stack trace helps to find it.
  if (!own && !usage) process.stderr.write(`${error instanceof Error ? printable(error.stack ?? "") : message}\n`);
  const document: ErrorDocument = {
    error: { message: usage ? message.replace(/^error: /, "") : message, exitCode: exitCodes.usage },
  };
  await endWith(json ? printableJson(document) : "", exitCodes.usage);
}

/** Prints a result and exits without waiting for what may hang, such as a kubectl or a child of one. */
function endWith(text: string, exitCode: number): Promise<never> {
  // The reader, such as `head`, may have closed the pipe.
  process.stdout.on("error", () => process.exit(exitCode));
  return new Promise(() => process.stdout.write(text === "" ? "" : `${text}\n`, () => process.exit(exitCode)));
}
