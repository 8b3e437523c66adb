import { basename } from "node:path";
import { planHighlights } from "../plan.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { readStack } from "../stack.ts";
import { readRecords } from "../stack-outputs.ts";
import { type Proposal, propose } from "./proposal.ts";
import { describeProposal } from "./report.ts";
import { writeSettings } from "./stack-file.ts";

interface PromoteOptions {
  readonly from?: string;
  readonly to: string;
  readonly configFile?: string;
  readonly yes?: boolean;
}

/** What would move, or has. */
export interface Promotion extends Proposal {
  /** Whether the settings were written. */
  readonly written: boolean;
}

/**
 * Shows what would move, and writes it if that was asked for.
 *
 * @returns What would move from one stack to another, or has.
 */
export async function run({ options }: Call<PromoteOptions>): Promise<Result<Promotion>> {
  const { to, yes = false } = options;
  const file = options.configFile ?? `Pulumi.${to}.yaml`;
  const stack = { stack: to, configFile: file };
  const { values } = readStack(stack);
  const from = sourceOf(options.from, to, values["unity:promotedFrom"]);
  const [records, recorded] = await Promise.all([readRecords(from), readRecords(to).catch(() => [])]);
  const proposal = await propose({ stack: from, records }, { stack: to, records: recorded }, values, stack);
  const rejected = proposal.release === null || proposal.errors.length > 0;
  const written = yes && !rejected;
  if (written) writeSettings(file, proposal.changes);
  return {
    document: { ...proposal, written },
    text: describeProposal(proposal, basename(file), written),
    exitCode: rejected ? exitCodes.differs : exitCodes.success,
    highlights: planHighlights,
  };
}

/** @returns The stack to take from. @throws {CommandError} If `to` would not take it from there. */
function sourceOf(given: string | undefined, to: string, configured = ""): string {
  const from = given ?? (configured || "staging");
  if (from === to)
    throw new CommandError(`A release is not brought from ${from} to itself: name another with --from or --to.`);
  if (configured !== "" && configured !== from) {
    throw new CommandError(
      `Stack ${to} takes its releases from ${configured}, not from ${from}. ` +
        `To change that: pulumi config set promotedFrom ${from} --stack ${to}`,
    );
  }
  return from;
}
