import { shorten, singleLine } from "../lockfile/describe.ts";
import type { Unapproved } from "./findings.ts";
import { type PlanRejection, unknownPlan } from "./rejection.ts";
import { type Remedies, stackRemedies } from "./remedies.ts";

/**
 * Describes why a plan is rejected, and how to allow it.
 *
 * @param isKnown - Whether the pending revisions are known.
 */
export function describeRejection(
  rejection: PlanRejection,
  isKnown: boolean,
  remedies: Remedies = stackRemedies,
): string[] {
  const { goingBack, unapproved, stale, unpinned } = rejection;
  const lines: string[] = [];
  if (goingBack.length > 0) {
    lines.push("downgrade not allowed; no changes were made:");
    for (const reason of goingBack) lines.push(`  ${reason}`);
  }
  if (unapproved.length > 0) lines.push(...describeUnapproved(unapproved, isKnown, remedies));
  if (stale) lines.push(...describeStale(stale, remedies));
  if (unpinned)
    lines.push("production requires a pinned plan; no changes were made:", `  ${howToPin(unpinned.found, remedies)}`);
  return lines;
}

function describeUnapproved(unapproved: readonly Unapproved[], isKnown: boolean, remedies: Remedies): string[] {
  const count = unapproved.length === 1 ? "1 finding requires" : `${unapproved.length} findings require`;
  const lines = [`${count} approval; no changes were made:`];
  if (!isKnown) lines.push("  The database revision is unknown, so every revision counts as pending.");
  for (const { revision, file, finding, sql } of unapproved) {
    lines.push(`  ${revision} (${file}): ${finding.rule}`);
    if (sql !== null) lines.push(`    ${shorten(sql)}`);
    lines.push(`    ${singleLine(finding.help === null ? finding.message : `${finding.message} ${finding.help}`)}`);
  }
  const [place, heading] = remedies.approvals;
  lines.push(`To approve, ${place}`, heading, ...approvalEntries(unapproved));
  return lines;
}

/** Returns lines of YAML. Ids are quoted because one of digits would be a number. */
function approvalEntries(unapproved: readonly Unapproved[]): Set<string> {
  return new Set(
    unapproved.map(({ revision, finding }) => `    - { revision: ${JSON.stringify(revision)}, rule: ${finding.rule} }`),
  );
}

function describeStale(
  { expected, found, because }: NonNullable<PlanRejection["stale"]>,
  remedies: Remedies,
): string[] {
  const hashes = `expected hash ${expected ?? unknownPlan}, current hash ${found ?? unknownPlan}`;
  return [`plan is stale: ${hashes}; no changes were made:`, `  ${because}`, `  ${howToPin(found, remedies)}`];
}

function howToPin(hash: string | null, remedies: Remedies): string {
  if (hash !== null) return `To pin this plan after reviewing it, ${remedies.pin(hash)}`;
  return (
    "Wait until the database revision is known. To update without it, for example to fix the database, " +
    remedies.pin(unknownPlan)
  );
}
