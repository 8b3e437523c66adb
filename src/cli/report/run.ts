import { writeText } from "../generated-files.ts";
import { stateFormat, styled } from "../highlight.ts";
import { type Call, type ExitCode, exitCodeOf, exitCodes, type Result } from "../result.ts";
import { collectReport, type ReportSource } from "./collect.ts";
import { renderReport } from "./page.ts";
import { known, type Part, type Report } from "./report.ts";

/**
 * Writes a report as an HTML file unless it is printed as JSON.
 *
 * @returns The report; no file is written.
 */
export async function run(call: Call<ReportSource & { readonly output: string }>): Promise<Result<Report>> {
  const { options, progress } = call;
  const report = await collectReport(options, progress);
  if (!options.json) writeText(options.output, renderReport(report));
  const exitCode = exitCodeFor(report);
  return { document: report, text: describe(report, options.output, exitCode), exitCode };
}

function describe({ target, live, plan, checks, runs }: Report, file: string, exitCode: ExitCode): string {
  const lines = [`Created ${file}`];
  if (target === null) return lines.join("\n");
  const message = known(live)?.message;
  if (message !== undefined) lines.push(styled(stateFormat(exitCode), message));
  const parts: Readonly<Record<string, Part<unknown>>> = { plan, checks, "run history": runs };
  for (const [name, part] of Object.entries(parts)) {
    if ("missing" in part) lines.push(`Missing ${name}: ${part.missing}`);
  }
  return lines.join("\n");
}

function exitCodeFor({ target, live, plan, checks, runs }: Report): ExitCode {
  const state = known(live)?.state;
  if (target === null || state === undefined) return exitCodes.success;
  const required: Part<unknown>[] = [plan];
  if (state.kind !== "not-deployed") required.push(checks, runs);
  if (required.some((part) => "missing" in part)) return exitCodes.usage;
  const failed = known(checks)?.some(({ passed }) => !passed) ?? false;
  if (known(plan)?.rejection || failed) return exitCodes.differs;
  return exitCodeOf(state);
}
