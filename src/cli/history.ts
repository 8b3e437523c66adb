import { Kubectl } from "../cluster/kubectl.ts";
import { readRuns } from "../cluster/run-records.ts";
import { describeRuns, type RunRecord } from "../plan/run-record.ts";
import { formats, type Highlight } from "./highlight.ts";
import { type Call, CommandError, exitCodes, type Result } from "./result.ts";
import { readTarget, type StackOptions } from "./stack.ts";

const highlights: readonly Highlight[] = [
  [/ succeeded /, formats.good],
  [/ (failed|interrupted) /, formats.bad],
];

/**
 * Reads the newest runs from the database.
 *
 * @returns Runs, the oldest first.
 */
export async function run(
  call: Call<StackOptions & { readonly limit: number }>,
): Promise<Result<readonly RunRecord[]>> {
  const { target, owned } = readTarget(call.options);
  const runs = await readRuns(new Kubectl(target), owned).catch((error: Error) => {
    throw new CommandError(`The database can't be asked: ${error.message}`);
  });
  const newest = runs.slice(-call.options.limit);
  return { document: newest, text: describeRuns(newest), exitCode: exitCodes.success, highlights };
}
