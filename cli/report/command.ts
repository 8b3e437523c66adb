import { Command } from "commander";
import { exitCodes } from "../command-error.ts";
import { endWith } from "../end-with.ts";
import { addStackOptions } from "../stack-options.ts";
import { exitCodeOf } from "../state-exit-codes.ts";
import { writeText } from "../write-text.ts";
import type { ReportSource } from "./ask.ts";
import { known, type Part, type Report } from "./report.ts";

interface ReportOptions extends ReportSource {
  readonly output: string;
  readonly json?: boolean;
}

const help = `
The file needs no network, no other file and no script. A part that can't be had says why; the rest is there.
The checks are those of \`unity verify\`, which execute a plugin and remove what that left.

Exit codes:
  0  the report is there: nothing to migrate, all checks passed; or it was made with --offline
  1  the report is there: revisions are pending, a check failed, nothing is deployed yet, or a person has to decide
  2  wrong usage, or the file can't be written; or the report is there and a part that was asked for can't be had`;

/** @returns The command `unity report`. */
export function reportProgram(): Command {
  return addStackOptions(new Command("report"))
    .description("Write a report of the release and its database as one HTML file: plan, checks, runs, chain, schema.")
    .option("--image <reference>", "the backend's image, instead of the stack's")
    .option("--output <file>", "the file to write", "unity-report.html")
    .option("--offline", "ask no cluster and read no stack's file: chain and schema from the lock alone")
    .option("--json", "print what the report tells as JSON, and write no file")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (options: ReportOptions) => {
      // Only here: the layout's library and the SQL's parser take longer to load than the rest of the command line.
      const [{ gatherReport }, { renderReport }] = await Promise.all([import("./gather.ts"), import("./page.ts")]);
      const report = await gatherReport(options);
      if (!options.json) writeText(options.output, renderReport(report));
      await endWith(options.json ? JSON.stringify(report, null, 2) : describe(report, options.output), codeOf(report));
    });
}

function describe(report: Report, file: string): string {
  const parts = { plan: report.plan, checks: report.checks, "run history": report.runs };
  const missing = Object.entries<Part<unknown>>(parts).flatMap(([name, part]) =>
    "missing" in part && report.target !== null ? [`Without the ${name}: ${part.missing}`] : [],
  );
  const sentence = known(report.live)?.sentence;
  return [`Written: ${file}`, ...(sentence === undefined ? [] : [sentence]), ...missing].join("\n");
}

/** @returns The exit code, as the help has it. */
function codeOf({ target, live, plan, checks, runs }: Report): number {
  const state = known(live)?.state;
  if (target === null || state === undefined) return exitCodes.success;
  const asked: readonly Part<unknown>[] = state.kind === "not-deployed" ? [plan] : [plan, checks, runs];
  if (asked.some((part) => "missing" in part)) return exitCodes.usage;
  const failed = known(checks)?.some(({ passed }) => !passed) ?? false;
  return known(plan)?.refusal || failed ? exitCodes.differs : exitCodeOf(state);
}
