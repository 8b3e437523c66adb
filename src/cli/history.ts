import { Kubectl } from "../cluster/kubectl.ts";
import { readRuns } from "../cluster/run-records.ts";
import { describeRuns, type RunRecord } from "../plan/run-record.ts";
import { formats, type Highlight } from "./highlight.ts";
import { type Call, CommandError, exitCodes, type Result } from "./result.ts";
import { readSettings, type StackOptions } from "./stack.ts";

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
  call: Call<StackOptions & { readonly limit: number }>,
): Promise<Result<readonly RunRecord[]>> {
  const settings = await readSettings(call.options);
  const kubectl = new Kubectl(settings, { report: call.progress.note });
  const runs = await readRuns(kubectl, settings.database.kind === "owned").catch((error: Error) => {
    throw new CommandError(`can't read the runs from the database: ${error.message}`);
  });
  const newest = runs.slice(-call.options.limit);
  return { document: newest, text: describeRuns(newest), exitCode: exitCodes.success, highlights };
}
