/**
 * `error`: it destroys data, breaks the old backend that still runs, or fails; it needs the stack's approval.
 * `warning`: it keeps others waiting, or is worth a look.
 */
export const findingLevels = ["error", "warning"] as const;

/** One of {@link findingLevels}. */
export type FindingLevel = (typeof findingLevels)[number];

/** What the linter, or a rule of our own, says against a revision's upgrade. */
export interface Finding {
  /** The rule's name: squawk's own (https://squawkhq.com/docs/rules), or one of ours. */
  readonly rule: string;
  readonly level: FindingLevel;
  /** Index into `upgrade.sql`; `null` if it concerns the revision as a whole. */
  readonly statement: number | null;
  /** One or two sentences: what is wrong. */
  readonly message: string;
  /** What to do instead; `null` if the rule doesn't say. */
  readonly help: string | null;
}

/** Orders findings by statement, those of the whole revision first, then by rule. */
export function compareFindings(a: Finding, b: Finding): number {
  return (a.statement ?? -1) - (b.statement ?? -1) || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
