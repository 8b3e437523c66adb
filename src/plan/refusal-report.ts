import { flat, shortened } from "../lockfile/statement-text.ts";
import type { Unapproved } from "./policy.ts";
import { type PlanRejection, unknownPlan } from "./refusal.ts";

/** @returns Lines that say why the update must not go on, and how to allow it. `asked`: the database gave its revision. */
export function describeRejection({ goingBack, unapproved, stale, unpinned }: PlanRejection, asked: boolean): string[] {
  return [
    ...(goingBack.length > 0 ? ["Refused: the database would have to go back. Nothing was changed."] : []),
    ...goingBack.map((blocker) => `  ${blocker}`),
    ...(unapproved.length > 0 ? describeUnapproved(unapproved, asked) : []),
    ...(stale ? describeMove(stale) : []),
    ...(unpinned ? describeUnpinned(unpinned) : []),
  ];
}

function describeUnapproved(unapproved: readonly Unapproved[], asked: boolean): string[] {
  const count = unapproved.length === 1 ? "1 finding needs" : `${unapproved.length} findings need`;
  return [
    `Refused: ${count} an approval of this stack. Nothing was changed.`,
    ...(asked ? [] : ["  The database can't be asked what is pending, so that every revision counts."]),
    ...unapproved.flatMap(describe),
    "To approve, add this to the stack's file, Pulumi.<stack>.yaml, under `config:` (to the approvals that are there):",
    ...configuration(unapproved).map((line) => `  ${line}`),
  ];
}

function describe({ revision, file, finding, sql }: Unapproved): string[] {
  return [
    `  ${revision} (${file}): ${finding.rule}`,
    ...(sql === null ? [] : [`    ${shortened(sql)}`]),
    `    ${flat(finding.message)}${finding.help === null ? "" : ` ${flat(finding.help)}`}`,
  ];
}

/** Lines of YAML; ids are quoted, since one of digits would be read as a number. */
function configuration(unapproved: readonly Unapproved[]): string[] {
  const entries = new Set(
    unapproved.map(({ revision, finding }) => `  - { revision: ${JSON.stringify(revision)}, rule: ${finding.rule} }`),
  );
  return ["unity:approvals:", ...entries];
}

const letThrough =
  "Wait until the database answers; or, if this update is what mends it, let it through: " +
  `pulumi config set planHash ${unknownPlan}`;

function describeUnpinned({ found }: NonNullable<PlanRejection["unpinned"]>): string[] {
  return [
    "Refused: in production only a plan that was reviewed is carried out. Nothing was changed.",
    found === null
      ? `  The database can't be asked, so that nobody knows what would be done. ${letThrough}`
      : `  Review this plan; if it is the one you want: pulumi config set planHash ${found}`,
  ];
}

function describeMove({ expected, found, because }: NonNullable<PlanRejection["stale"]>): string[] {
  const now = found ?? "not known";
  return [
    `Refused: the plan has moved. unity:planHash is ${expected ?? unknownPlan}; the hash of this plan is ${now}. Nothing was changed.`,
    `  ${because}`,
    found === null
      ? `  ${letThrough}`
      : `  Review this plan; if it is the one you want: pulumi config set planHash ${found}`,
  ];
}
