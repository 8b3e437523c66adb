import type { Lock } from "../lockfile/lock.ts";
import { nearest } from "../nearest.ts";

/** A stack's consent to the findings of one rule about one revision. */
export interface Approval {
  readonly revision: string;
  /** Name of a finding's rule. */
  readonly rule: string;
  /** Why it is safe, for later readers. */
  readonly reason?: string | undefined;
}

/** An invalid property of a stack's approvals. */
interface ApprovalError {
  /** Path for `pulumi config set --path`, such as `approvals[0].rule`. */
  readonly path: string;
  readonly given: unknown;
  readonly allowed: string;
  /** A valid value; `undefined` for a property that doesn't exist. */
  readonly example: string | undefined;
}

const properties = {
  revision: { allowed: "a revision id, in quotes if it is all digits", example: "<id>" },
  rule: { allowed: "the name of a rule", example: "ban-drop-column" },
  reason: { allowed: "a non-empty string", example: "<why it is safe>" },
} as const;

/** Parses a stack's approvals: none, one, or a list of them. */
export function parseApprovals(value: unknown): {
  readonly approvals: readonly Approval[];
  readonly errors: readonly ApprovalError[];
} {
  const entries = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const errors = entries.flatMap((entry, index) => entryErrors(entry, `approvals[${index}]`));
  return { approvals: errors.length > 0 ? [] : (entries as Approval[]), errors };
}

function entryErrors(entry: unknown, path: string): ApprovalError[] {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return [{ path: `${path}.revision`, given: entry, ...properties.revision }];
  }
  const given: Record<string, unknown> = { ...entry };
  const errors: ApprovalError[] = [];
  for (const [key, expected] of Object.entries(properties)) {
    const isOptional = key === "reason";
    if (isOptional && given[key] === undefined) continue;
    if (typeof given[key] === "string" && given[key] !== "") continue;
    errors.push({ path: `${path}.${key}`, given: given[key], ...expected });
  }
  const allowed = Object.keys(properties).join(", ");
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(properties, key))
      errors.push({ path: `${path}.${key}`, given: given[key], allowed, example: undefined });
  }
  return errors;
}

/** Returns the revisions that a stack accepts without a downgrade. */
export function approvedIrreversible(approvals: readonly Approval[]): readonly string[] {
  return approvals.filter(({ rule }) => rule === "missing-downgrade").map(({ revision }) => revision);
}

/**
 * Returns a message for each approval that matches no finding of the chain, with likely alternatives. An approval of an
 * applied revision is valid: it records what was accepted.
 */
export function unknownApprovals(lock: Lock, approvals: readonly Approval[]): string[] {
  const rules = new Map(lock.revisions.map(({ id, findings }) => [id, new Set(findings.map(({ rule }) => rule))]));
  const errors: string[] = [];
  for (const [index, { revision, rule }] of approvals.entries()) {
    const found = rules.get(revision);
    if (found?.has(rule)) continue;
    if (found !== undefined) {
      const others = [...found].sort().join(", ") || "none";
      errors.push(`approvals[${index}]: revision ${revision} has no finding ${rule}; its findings: ${others}`);
      continue;
    }
    const withRule = [...rules].filter(([, names]) => names.has(rule)).map(([id]) => id);
    const meant = nearest(revision, withRule.length > 0 ? withRule : [...rules.keys()]);
    errors.push(`approvals[${index}]: unknown revision ${revision}; did you mean ${meant.join(" or ")}?`);
  }
  return errors;
}
