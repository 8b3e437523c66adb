import { writeText } from "../generated-files.ts";
import { stateMessage } from "../highlight.ts";
import { type Call, type ExitCode, exitCodeOf, exitCodes, type Result } from "../result.ts";
import type { ReportSource } from "./ask.ts";
import { gatherReport } from "./gather.ts";
import { renderReport } from "./page.ts";
import { known, type Part, type Report } from "./report.ts";

/**
 * Writes the report's file, but not where the report itself is printed.
 *
 * @returns All that the report tells; no file is written.
 */
export async function run(call: Call<ReportSource & { readonly output: string }>): Promise<Result<Report>> {
  const { options, progress } = call;
  const report = await gatherReport(options, progress);
  if (!options.json) writeText(options.output, renderReport(report));
  const exitCode = codeOf(report);
  return { document: report, text: describe(report, options.output), exitCode, highlights: [stateMessage(exitCode)] };
}

function describe(report: Report, file: string): string {
  const parts = { plan: report.plan, checks: report.checks, "run history": report.runs };
  const missing = Object.entries<Part<unknown>>(parts).flatMap(([name, part]) =>
    "missing" in part && report.target !== null ? [`Without the ${name}: ${part.missing}`] : [],
  );
  const message = known(report.live)?.message;
  return [`Written: ${file}`, ...(message === undefined ? [] : [message]), ...missing].join("\n");
}

/** @returns The exit code, as the table of exit codes has it. */
function codeOf({ target, live, plan, checks, runs }: Report): ExitCode {
  const state = known(live)?.state;
  if (target === null || state === undefined) return exitCodes.success;
  const asked: readonly Part<unknown>[] = state.kind === "not-deployed" ? [plan] : [plan, checks, runs];
  if (asked.some((part) => "missing" in part)) return exitCodes.usage;
  const failed = known(checks)?.some(({ passed }) => !passed) ?? false;
  return known(plan)?.rejection || failed ? exitCodes.differs : exitCodeOf(state);
}
