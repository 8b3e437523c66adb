import { basename } from "node:path";
import { Command } from "commander";
import { CommandError, exitCodes } from "../command-error.ts";
import { readStack } from "../stack-options.ts";
import { readRecords } from "../stack-outputs.ts";

interface PromoteOptions {
  readonly from?: string;
  readonly to: string;
  readonly configFile?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

const help = `
Reads what the first stack has recorded, by \`pulumi stack output\`, and shows what of it this checkout would bring to the
second: image, revisions with their SQL, what needs an approval. With --yes it writes the image by its digest and, where
the database can be asked, the plan's hash into the second stack's file. \`pulumi up\` judges by itself, whatever was written.

Exit codes:
  0  it may be taken; with --yes: the stack's file says so
  1  refused: it has not succeeded in the first stack, or a person has to decide first
  2  wrong usage, faulty settings, or the first stack can't be read`;

/** @returns The command `unity promote`. */
export function promoteProgram(): Command {
  return new Command("promote")
    .description("Bring what has succeeded in staging to production: show what would move, and write the settings.")
    .option("--from <stack>", "stack that it has succeeded in; else the one that the other stack's promotedFrom names")
    .option("--to <stack>", "stack to bring it to", "production")
    .option("--config-file <file>", "the configuration of --to, wherever it is")
    .option("--yes", "write the settings")
    .option("--json", "print it as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(promote);
}

async function promote({ to, configFile, yes = false, json = false, ...given }: PromoteOptions): Promise<void> {
  const file = configFile ?? `Pulumi.${to}.yaml`;
  const options = { stack: to, configFile: file };
  const { values } = readStack(options);
  const from = sourceOf(given.from, to, values["unity:promotedFrom"]);
  const [records, recorded, { propose }, { describeProposal }, { writeSettings }] = await Promise.all([
    readRecords(from),
    readRecords(to).catch(() => []),
    import("./proposal.ts"),
    import("./report.ts"),
    import("./stack-file.ts"),
  ]);
  const proposal = await propose({ stack: from, records }, { stack: to, records: recorded }, values, options);
  const refused = proposal.release === null || proposal.faults.length > 0;
  const written = yes && !refused;
  if (written) writeSettings(file, proposal.changes);
  const text = json
    ? JSON.stringify({ ...proposal, written }, null, 2)
    : describeProposal(proposal, basename(file), written);
  process.stdout.write(`${text}\n`);
  process.exitCode = refused ? exitCodes.differs : exitCodes.success;
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
