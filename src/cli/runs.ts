import type { Command } from "commander";
import { endWith } from "./end-with.ts";
import { type CommandName, exitCodesHelp, exitCodeTable } from "./exit-codes.ts";
import { highlight } from "./highlight.ts";
import { startProgress } from "./progress.ts";
import type { Runner } from "./result.ts";

/** What all commands with a result have in common. */
export interface Running<Options> {
  /** What is shown on a terminal while it goes on; nothing if it isn't given. */
  readonly doing?: string;
  /** Help besides options and exit codes. */
  readonly help?: string;
  /** Imports what the command does. */
  readonly load: () => Promise<Runner<Options>>;
}

/** Adds `--json` and the exit codes to a command, and prints its result in the one or the other way. */
export function runs<Options extends object>(program: Command, { doing, help, load }: Running<Options>): Command {
  const meanings = exitCodeTable[program.name() as CommandName];
  return program
    .option("--json", "print the result as JSON, and nothing else on standard output")
    .addHelpText("after", `\n${help === undefined ? "" : `${help}\n\n`}${exitCodesHelp(meanings)}`)
    .action(async (...given: readonly unknown[]) => {
      const command = given.at(-1) as Command;
      const options = command.opts<Options & { readonly json?: boolean }>();
      const { run } = await load();
      const progress = startProgress(doing ?? program.name());
      if (doing === undefined) progress.end();
      const result = await run({ options, args: command.args, progress, command }).finally(() => progress.end());
      if (typeof result === "number") return endWith("", result);
      const { document, text, exitCode, highlights = [] } = result;
      await endWith(options.json ? JSON.stringify(document, null, 2) : highlight(text, highlights), exitCode);
    });
}
