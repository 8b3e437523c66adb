import { Command } from "commander";
import { createCommand, type ExitCodeMeanings, exitCodesHelp } from "./command.ts";
import { completeProgram, completionProgram } from "./completion/command.ts";
import { developerCommands } from "./developer-commands.ts";
import { operatorCommands } from "./operator-commands.ts";

/** Meanings of the exit codes for all commands. */
export const generalExitCodes: ExitCodeMeanings = {
  0: "success, or nothing to do",
  1: "pending changes, differences, rejection, or failure",
  2: "invalid usage, or the command can't be executed",
};

/** Commands with a result, which `--json` prints. */
export const commandDefinitions = [...developerCommands, ...operatorCommands];

/**
 * Returns the program `pulumi-alembic`. It throws where commander would exit.
 *
 * @param writeError - Prints commander's message on invalid usage, which is also thrown.
 */
export function unityProgram(writeError: (text: string) => void = () => {}): Command {
  const program = new Command("pulumi-alembic")
    .description("Plan, apply, and verify Alembic migrations of PostgreSQL databases on Kubernetes.")
    .addHelpText("after", `\n${exitCodesHelp(generalExitCodes)}`);
  const commands = [...commandDefinitions.map(createCommand), completionProgram()];
  commands.sort((a, b) => a.name().localeCompare(b.name()));
  for (const command of commands) program.addCommand(command);
  program.addCommand(completeProgram(), { hidden: true });
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({ outputError: writeError });
  }
  return program;
}
