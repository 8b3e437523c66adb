import { Command } from "commander";
import { applyProgram } from "./apply/command.ts";
import { chainProgram } from "./chain/command.ts";
import { completeProgram, completionProgram } from "./completion/command.ts";
import { docsProgram } from "./docs/command.ts";
import { exitCodesHelp, generalMeanings } from "./exit-codes.ts";
import { historyProgram } from "./history/command.ts";
import { lockProgram } from "./lock/command.ts";
import { logsProgram } from "./logs/command.ts";
import { checkProgram } from "./migrate/command.ts";
import { planProgram } from "./plan/command.ts";
import { promoteProgram } from "./promote/command.ts";
import { renderProgram } from "./render/command.ts";
import { reportProgram } from "./report/command.ts";
import { restoreProgram } from "./restore/command.ts";
import { revisionProgram } from "./revision/command.ts";
import { statusProgram } from "./status/command.ts";
import { verifyProgram } from "./verify/command.ts";

/**
 * @param writeError Takes what commander says of wrong usage, besides throwing it.
 * @returns All of `unity`: what it does is loaded only when it is called. It throws where commander would exit.
 */
export function unityProgram(writeError: (text: string) => void = () => {}): Command {
  const program = new Command("unity")
    .description("What an operator and a developer of Unity's migrations need beside `pulumi up`.")
    .addHelpText("after", `\n${exitCodesHelp(generalMeanings)}`)
    .addCommand(applyProgram())
    .addCommand(chainProgram())
    .addCommand(checkProgram())
    .addCommand(completionProgram())
    .addCommand(docsProgram())
    .addCommand(historyProgram())
    .addCommand(lockProgram())
    .addCommand(logsProgram())
    .addCommand(planProgram())
    .addCommand(promoteProgram())
    .addCommand(renderProgram())
    .addCommand(reportProgram())
    .addCommand(restoreProgram())
    .addCommand(revisionProgram())
    .addCommand(statusProgram())
    .addCommand(verifyProgram())
    .addCommand(completeProgram(), { hidden: true });
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({ outputError: writeError });
  }
  return program;
}

/** @returns The commands that people see, without commander's own `help`. */
export function visibleCommands(program: Command): readonly Command[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((each) => each.name() !== "help");
}
