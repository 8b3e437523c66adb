import { ownRules, squawkRules } from "../lock/rules.ts";

/** Rules on the chain and its lockfile: a pull request must not be merged with such an error. */
export const chainRules = {
  "head-collision": { level: "error", because: "after a merge, the chain has several heads" },
  "lockfile-differs": { level: "error", because: "what was reviewed is not what runs" },
  "revision-changed": { level: "error", because: "databases may already have the revision" },
  "revision-removed": { level: "error", because: "databases may already have the revision" },
  "several-heads": { level: "error", because: "only one head is allowed" },
} as const;

/** A rule on the chain. */
export type ChainRule = keyof typeof chainRules;

/** All rules, by name. */
export const allRules: Readonly<Record<string, { readonly level: string; readonly because: string }>> = {
  ...chainRules,
  ...ownRules,
  ...squawkRules,
};

/** Returns the page of a rule of squawk. */
export function ruleUri(rule: string): string | undefined {
  return Object.hasOwn(squawkRules, rule) ? `https://squawkhq.com/docs/${rule}` : undefined;
}
