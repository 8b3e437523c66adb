import type { Unapproved } from "./policy.ts";
import type { Refusal } from "./refusal.ts";
import { flat, shortened } from "./statement-text.ts";

/** @returns Lines that say why the update must not go on, and how to allow it. `asked`: the database gave its revision. */
export function describeRefusal({ goingBack, unapproved, moved }: Refusal, asked: boolean): string[] {
  return [
    ...(goingBack.length > 0 ? ["Refused: the database would have to go back. Nothing was changed."] : []),
    ...goingBack.map((hindrance) => `  ${hindrance}`),
    ...(unapproved.length > 0 ? describeUnapproved(unapproved, asked) : []),
    ...(moved ? describeMove(moved) : []),
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

function describeMove({ expected, found, because }: NonNullable<Refusal["moved"]>): string[] {
  const now = found === null ? "not known" : found;
  return [
    `Refused: the plan has moved. unity:planHash is ${expected}; the hash of this plan is ${now}. Nothing was changed.`,
    `  ${because}`,
    found === null
      ? "  Wait until the database answers, or let any plan through: pulumi config rm planHash"
      : `  Review this plan; if it is the one you want: pulumi config set planHash ${found}`,
  ];
}
