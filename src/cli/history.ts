import { describeRuns, type RunRecord } from "../plan/run-record.ts";
import { openDeployed } from "./deployed/open.ts";
import type { DeployedOptions } from "./deployed/options.ts";
import { formats, type Highlight } from "./highlight.ts";
import { type Call, CommandError, exitCodes, type Result } from "./result.ts";

const highlights: readonly Highlight[] = [
  [/ succeeded /, formats.good],
  [/ (failed|interrupted) /, formats.bad],
];

/**
 * Reads the newest migration runs from the database.
 *
 * @returns The runs, oldest first.
 */
export async function run(
  call: Call<DeployedOptions & { readonly limit: number }>,
): Promise<Result<readonly RunRecord[]>> {
  const { readRuns } = await openDeployed(call.options, call.progress.note);
  const runs = await readRuns().catch((error: Error) => {
    throw new CommandError(`can't read the runs from the database: ${error.message}`);
  });
  const newest = runs.slice(-call.options.limit);
  return { document: newest, text: describeRuns(newest), exitCode: exitCodes.success, highlights };
}
