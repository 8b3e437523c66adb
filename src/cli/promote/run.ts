import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { isMap, parseDocument } from "yaml";
import { describeUpdate } from "../../preflight/update-plan.ts";
import type { ReleaseRecord } from "../../promotion/record.ts";
import { planHighlights } from "../plan.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { readStack } from "../stack.ts";
import { readRecords } from "../stack-outputs.ts";
import { type Proposal, propose, type SettingChanges } from "./proposal.ts";

interface PromoteOptions {
  readonly from?: string;
  readonly to: string;
  readonly configFile?: string;
  readonly yes?: boolean;
}

/** A proposed promotion, and whether it was written. */
export interface Promotion extends Proposal {
  /** Whether the settings were written. */
  readonly written: boolean;
}

/**
 * Shows the changes that promote a release, and writes them with `--yes`.
 *
 * @returns The changes, and whether they were written.
 */
export async function run({ options, progress }: Call<PromoteOptions>): Promise<Result<Promotion>> {
  const { to, yes = false } = options;
  const file = options.configFile ?? `Pulumi.${to}.yaml`;
  const stack = { stack: to, configFile: file };
  const values = readStack(stack);
  const from = sourceOf(options.from, to, values["unity:promotedFrom"]);
  const unknown = { records: [], outdated: 0 };
  const [releases, ownReleases] = await Promise.all([readRecords(from), readRecords(to).catch(() => unknown)]);
  const [source, own] = [
    { stack: from, ...releases },
    { stack: to, ...ownReleases },
  ];
  const proposal = await propose(source, own, values, stack, progress.note);
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

/**
 * Returns the stack to promote from.
 *
 * @throws {CommandError} If it is `to`, or not the one that `to` is configured with.
 */
function sourceOf(given: string | undefined, to: string, configured = ""): string {
  const from = given ?? (configured || "staging");
  if (from === to) throw new CommandError(`can't promote from ${from} to itself\nPass another stack: --from or --to`);
  if (configured !== "" && configured !== from)
    throw new CommandError(
      `stack ${to} promotes releases from ${configured}, not from ${from}\n` +
        `To change that, run: pulumi config set promotedFrom ${from} --stack ${to}`,
    );
  return from;
}

function describeProposal(proposal: Proposal, file: string, written: boolean): string {
  const { from, to, release, current, plan, unavailable, errors } = proposal;
  if (release === null || errors.length > 0) return describeErrors(proposal);
  const lines = [
    `Release of ${from}: ${describeRelease(release)}; ${release.checks} checks passed`,
    `Release of ${to}: ${current === null ? "none recorded" : describeRelease(current)}`,
  ];
  if (unavailable !== null) lines.push(unavailable);
  if (unavailable !== null && plan !== null) lines.push(`Plan from the recorded release of ${to}:`);
  if (plan !== null) lines.push(describeUpdate(plan));
  lines.push("", ...describeChanges(proposal, file, written));
  return lines.join("\n");
}

function describeRelease({ head, image, imageName }: ReleaseRecord): string {
  return `head ${head}, image ${image === null ? imageName : `${imageName}@${image}`}`;
}

function describeErrors({ from, to, errors }: Proposal): string {
  return [
    `can't promote this checkout from ${from} to ${to}; no changes were made:`,
    ...errors.map((error) => `  - ${error}`),
    `Check out the release of ${from}, or deploy this checkout there first: pulumi up --stack ${from}`,
  ].join("\n");
}

function describeChanges({ to, changes, unavailable }: Proposal, file: string, written: boolean): readonly string[] {
  const entries = Object.entries(changes);
  const isUnchanged = entries.length === 0;
  const lines = [isUnchanged ? `${file} is up to date.` : `${written ? "Changed" : "Changes to"} ${file}:`];
  for (const [key, value] of entries)
    lines.push(value === null ? `  unity:${key} (removed)` : `  unity:${key}: ${value}`);
  if (unavailable !== null)
    lines.push("The plan is not pinned. To pin the one of `pulumi preview`, run: pulumi config set planHash <hash>");
  if (written || isUnchanged) lines.push(`Next, run: pulumi preview --stack ${to} && pulumi up --stack ${to}`);
  else lines.push("To write the changes, pass --yes.");
  return lines;
}

/** @throws {CommandError} If the file can't be written. */
function writeSettings(file: string, changes: SettingChanges): void {
  try {
    writeFileSync(file, changeSettings(readFileSync(file, "utf8"), changes));
  } catch (error) {
    throw new CommandError(`can't write ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Returns the text of a stack's configuration file with changed settings. Preserves its other lines and comments. */
export function changeSettings(text: string, changes: SettingChanges): string {
  const document = parseDocument(text);
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  for (const [key, value] of Object.entries(changes)) {
    const path = ["config", `unity:${key}`];
    if (value !== null) document.setIn(path, value);
    else if (document.hasIn(path)) document.deleteIn(path);
  }
  return document.toString({ lineWidth: 0 });
}
