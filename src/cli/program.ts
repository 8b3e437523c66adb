import { Command } from "commander";
import { createCommand, type ExitCodeMeanings, exitCodesHelp } from "./command.ts";
import { completeProgram, completionProgram } from "./completion/command.ts";
import { developerCommands } from "./developer-commands.ts";
import { operatorCommands } from "./operator-commands.ts";

/** What the exit codes mean, whatever the command. */
export const generalExitCodes: ExitCodeMeanings = {
  0: "done, or there was nothing to do",
  1: "a person has to look: something is pending, differs, was refused or failed",
  2: "wrong usage, or what was to be asked or changed can't be",
};

/** Commands that have a result, which `--json` prints. */
export const commandDefinitions = [...developerCommands, ...operatorCommands];

/**
 * @param writeError Takes what commander says of wrong usage, besides throwing it.
 * @returns All of `unity`: what it does is loaded only when it is called. It throws where commander would exit.
 */
export function unityProgram(writeError: (text: string) => void = () => {}): Command {
  const program = new Command("unity")
    .description("What an operator and a developer of Unity's migrations need beside `pulumi up`.")
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
