import { describeChange } from "../../lockfile/database-schema/changes.ts";
import type { Incompatibility } from "../../lockfile/database-schema/compatibility.ts";
import { unpackChanges } from "../../lockfile/evidence.ts";
import { breaksRunningRelease, type Finding, type LockedRevision } from "../../lockfile/lock.ts";
import { ownFinding } from "./own-findings.ts";

/** Returns the findings on what a revision did in a rehearsal. */
export function rehearsalFindings({
  reversible,
  rehearsed,
}: Pick<LockedRevision, "reversible" | "rehearsed">): Finding[] {
  if (rehearsed === undefined) return [];
  const { downgrade, leaves = [], error, nondeterministic } = rehearsed;
  const findings: Finding[] = [];
  if (downgrade === "failed" && reversible !== false) {
    const message = `The downgrade failed when it was rehearsed: ${error}.`;
    findings.push(ownFinding("failing-downgrade", null, message, "Fix downgrade(), and rehearse the chain again."));
  }
  if (downgrade === "incomplete") {
    const left = unpackChanges(leaves).map(describeChange);
    const what = left.length > 0 ? `: ${left.join("; ")}` : "";
    const messages: string[] = [];
    if (left.length > 0 || error === undefined)
      messages.push(`After the downgrade, the schema differs from the one before the upgrade${what}.`);
    if (error !== undefined) messages.push(`The upgrade after the downgrade failed: ${error}.`);
    findings.push(ownFinding("incomplete-downgrade", null, messages.join(" "), "Undo all changes in downgrade()."));
  }
  if (nondeterministic) {
    const message = "The upgrade ran different statements, or led to another schema, when it was rehearsed twice.";
    const help = "Use constants or SQL functions instead of times and random values in Python.";
    findings.push(ownFinding("nondeterministic-upgrade", null, message, help));
  }
  return findings;
}

/** Returns a finding for each reason why releases that run meanwhile may fail. */
export function breakingFindings(breaking: readonly Incompatibility[]): Finding[] {
  const reasons = new Map(breaking.map(({ reason, split }) => [reason, split]));
  return [...reasons].map(([reason, split]) => {
    const changes = breaking.filter((each) => each.reason === reason).map(({ change }) => describeChange(change));
    return ownFinding(
      breaksRunningRelease,
      null,
      `A running release may fail, because it ${reason}: ${changes.join("; ")}.`,
      split,
    );
  });
}

/** Returns a finding for each difference of env.py's models from the schema at the head. */
export function modelFindings(models: readonly string[]): Finding[] {
  const help = "Add a revision, or change the models: alembic revision --autogenerate shows it.";
  return models.map((text) => ownFinding("model-difference", null, `Models of env.py: ${text}.`, help));
}
