#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { LockError } from "../migrations/parse-lock.ts";
import { applyProgram } from "./apply/command.ts";
import { chainProgram } from "./chain/command.ts";
import { checkProgram } from "./check/command.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { docsProgram } from "./docs/command.ts";
import { historyProgram } from "./history/command.ts";
import { lockProgram } from "./lock/command.ts";
import { logsProgram } from "./logs/command.ts";
import { planProgram } from "./plan/command.ts";
import { renderProgram } from "./render/command.ts";
import { reportProgram } from "./report/command.ts";
import { restoreProgram } from "./restore/command.ts";
import { statusProgram } from "./status/command.ts";
import { verifyProgram } from "./verify/command.ts";

const program = new Command("unity")
  .description("What an operator and a developer of Unity's migrations need beside `pulumi up`.")
  .addCommand(applyProgram())
  .addCommand(checkProgram())
  .addCommand(chainProgram())
  .addCommand(docsProgram())
  .addCommand(historyProgram())
  .addCommand(lockProgram())
  .addCommand(logsProgram())
  .addCommand(planProgram())
  .addCommand(renderProgram())
  .addCommand(reportProgram())
  .addCommand(restoreProgram())
  .addCommand(statusProgram())
  .addCommand(verifyProgram())
  .exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message, or the help that was asked for (exit code 0).
    process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  } else if (error instanceof CommandError || error instanceof LockError) {
    process.stderr.write(`unity: ${error.message}\n`);
    process.exitCode = exitCodes.usage;
  } else {
    throw error;
  }
}
