import { describeUpdate } from "../../preflight/update-plan.ts";
import type { ReleaseRecord } from "../../promotion/record.ts";
import type { Proposal } from "./proposal.ts";

/**
 * @param file The stack's file.
 * @param written Whether the changes are in it.
 * @returns What would move, or why it may not, for people.
 */
export function describeProposal(proposal: Proposal, file: string, written: boolean): string {
  const { from, to, release, now, plan, unasked, errors } = proposal;
  if (release === null || errors.length > 0) return describeFaults(proposal);
  return [
    `From ${from} to ${to}: ${describeRelease(release)}; ${release.checks} checks passed there.`,
    now === null ? `${to} has recorded no release.` : `${to} has: ${describeRelease(now)}.`,
    ...(unasked === null ? [] : [unasked]),
    ...(unasked !== null && plan !== null ? [`By what ${to} has recorded:`] : []),
    ...(plan === null ? [] : [describeUpdate(plan)]),
    "",
    ...describeChanges(proposal, file, written),
  ].join("\n");
}

function describeRelease({ head, image, imageName }: ReleaseRecord): string {
  return `head ${head}, image ${image === null ? imageName : `${imageName}@${image}`}`;
}

function describeFaults({ from, to, errors }: Proposal): string {
  return [
    `Refused: nothing of ${from} can be brought to ${to} from this checkout. Nothing was changed.`,
    ...errors.map((error) => `  - ${error}`),
    `Check out what ${from} runs; or deploy this checkout there first: pulumi up --stack ${from}`,
  ].join("\n");
}

function describeChanges({ to, changes, unasked }: Proposal, file: string, written: boolean): string[] {
  const lines = Object.entries(changes).map(([key, value]) =>
    value === null ? `  unity:${key} is taken away` : `  unity:${key}: ${value}`,
  );
  const head = lines.length === 0 ? `${file} says so already.` : `${written ? "Written to" : "To write to"} ${file}:`;
  const pin = "pulumi config set planHash <hash>, with the hash that `pulumi preview` shows";
  const next =
    written || lines.length === 0
      ? `Next: pulumi preview --stack ${to}, then pulumi up --stack ${to}`
      : "Nothing is written without --yes.";
  return [head, ...lines, ...(unasked === null ? [] : [`The plan is not pinned yet: ${pin}`]), next];
}
