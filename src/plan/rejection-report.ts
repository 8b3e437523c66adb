import { shorten, singleLine } from "../lockfile/describe.ts";
import type { Unapproved } from "./findings.ts";
import { type PlanRejection, unknownPlan } from "./rejection.ts";

/**
 * Describes why a plan is rejected, and how to allow it.
 *
 * @param isKnown - Whether the pending revisions are known.
 */
export function describeRejection(rejection: PlanRejection, isKnown: boolean): string[] {
  const { goingBack, unapproved, stale, unpinned } = rejection;
  const lines: string[] = [];
  if (goingBack.length > 0) {
    lines.push("downgrade not allowed; no changes were made:");
    for (const reason of goingBack) lines.push(`  ${reason}`);
  }
  if (unapproved.length > 0) lines.push(...describeUnapproved(unapproved, isKnown));
  if (stale) lines.push(...describeStale(stale));
  if (unpinned) lines.push("production requires a pinned plan; no changes were made:", `  ${howToPin(unpinned.found)}`);
  return lines;
}

function describeUnapproved(unapproved: readonly Unapproved[], isKnown: boolean): string[] {
  const count = unapproved.length === 1 ? "1 finding requires" : `${unapproved.length} findings require`;
  const lines = [`${count} approval; no changes were made:`];
  if (!isKnown) lines.push("  The database revision is unknown, so every revision counts as pending.");
  for (const { revision, file, finding, sql } of unapproved) {
    lines.push(`  ${revision} (${file}): ${finding.rule}`);
    if (sql !== null) lines.push(`    ${shorten(sql)}`);
    lines.push(`    ${singleLine(finding.help === null ? finding.message : `${finding.message} ${finding.help}`)}`);
  }
  lines.push("To approve, add to `config:` in the stack's file, Pulumi.<stack>.yaml (or to its existing approvals):");
  lines.push("  unity:approvals:", ...approvalEntries(unapproved));
  return lines;
}

/** Returns lines of YAML. Ids are quoted because one of digits would be a number. */
function approvalEntries(unapproved: readonly Unapproved[]): Set<string> {
  return new Set(
    unapproved.map(({ revision, finding }) => `    - { revision: ${JSON.stringify(revision)}, rule: ${finding.rule} }`),
  );
}

function describeStale({ expected, found, because }: NonNullable<PlanRejection["stale"]>): string[] {
  const hashes = `expected hash ${expected ?? unknownPlan}, current hash ${found ?? unknownPlan}`;
  return [`plan is stale: ${hashes}; no changes were made:`, `  ${because}`, `  ${howToPin(found)}`];
}

function howToPin(hash: string | null): string {
  if (hash !== null) return `To pin this plan after reviewing it, run: pulumi config set planHash ${hash}`;
  return (
    "Wait until the database revision is known. To update without it, for example to fix the database, run: " +
    `pulumi config set planHash ${unknownPlan}`
  );
}
