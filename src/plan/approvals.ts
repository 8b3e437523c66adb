import type { Lock } from "../lockfile/lock.ts";
import { nearest } from "../lockfile/nearest.ts";

/** A stack's consent to what one rule says against one revision, however many of its statements are concerned. */
export interface Approval {
  readonly revision: string;
  /** Name of a finding's rule. */
  readonly rule: string;
  /** Why it is safe, for the next reader. */
  readonly reason?: string;
}

/** Something in a stack's configuration that is no approval. */
interface ApprovalFault {
  /** As `pulumi config set --path` takes it, such as `approvals[0].rule`. */
  readonly path: string;
  readonly given: unknown;
  readonly allowed: string;
  /** A value that would do. */
  readonly example: string;
}

const properties = {
  revision: { allowed: "a revision's id, in quotes if it is all digits", example: "<id>" },
  rule: { allowed: "the name of a rule", example: "ban-drop-column" },
  reason: { allowed: "a text", example: "<why it is safe>" },
} as const;

/** Reads what a stack configures: nothing, one approval, or a list of them. */
export function parseApprovals(value: unknown): { approvals: readonly Approval[]; errors: readonly ApprovalFault[] } {
  const entries = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const errors = entries.flatMap((entry, index) => entryFaults(entry, `approvals[${index}]`));
  return { approvals: errors.length > 0 ? [] : (entries as Approval[]), errors };
}

function entryFaults(entry: unknown, path: string): ApprovalFault[] {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return [{ path: `${path}.revision`, given: entry, ...properties.revision }];
  }
  const given: Record<string, unknown> = { ...entry };
  const known = Object.entries(properties).filter(
    ([key]) =>
      !(typeof given[key] === "string" && given[key] !== "") && !(key === "reason" && given[key] === undefined),
  );
  const other = Object.keys(given).filter((key) => !Object.hasOwn(properties, key));
  return [
    ...known.map(([key, rest]) => ({ path: `${path}.${key}`, given: given[key], ...rest })),
    ...other.map((key) => ({
      path: `${path}.${key}`,
      given: given[key],
      allowed: `absent: an approval has ${Object.keys(properties).join(", ")}`,
      example: "",
    })),
  ];
}

/** @returns Revisions that a stack accepts without a downgrade. */
export function approvedIrreversible(approvals: readonly Approval[]): readonly string[] {
  return approvals.flatMap(({ revision, rule }) => (rule === "missing-downgrade" ? [revision] : []));
}

/**
 * @returns A sentence for each approval that no finding of the chain answers to, with what may have been meant. One for
 *   a revision that the database has already is right: it stays as the record of what was accepted.
 */
export function unknownApprovals(lock: Lock, approvals: readonly Approval[]): string[] {
  const rules = new Map(lock.revisions.map(({ id, findings }) => [id, new Set(findings.map(({ rule }) => rule))]));
  return approvals.flatMap(({ revision, rule }, index) => {
    const path = `approvals[${index}]`;
    const found = rules.get(revision);
    if (found === undefined) {
      const concerned = [...rules].flatMap(([id, names]) => (names.has(rule) ? id : []));
      const ids = nearest(revision, concerned.length > 0 ? concerned : [...rules.keys()]);
      return [`${path} approves ${rule} of ${revision}, which is no revision of the chain. Near: ${ids.join(", ")}`];
    }
    if (found.has(rule)) return [];
    const others = [...found].sort().join(", ");
    return [`${path} approves ${rule} of ${revision}, which has no such finding. Its findings: ${others || "none"}`];
  });
}
