import type { CheckResult } from "../../checks/result.ts";
import { redact } from "../../cluster/kubectl.ts";
import type { Approval } from "../../plan/approvals.ts";
import type { Description, LiveState } from "../../plan/live-state.ts";
import type { EvaluatedRevision } from "../../plan/policy.ts";
import type { RunRecord } from "../../plan/run-record.ts";
import type { UpdatePlan } from "../../preflight/update-plan.ts";
import type { TableDetails } from "../chain/schema.ts";
import type { RevisionView } from "../chain/view.ts";

/** What was asked for, or why it can't be had. */
export type Part<T> = { readonly value: T } | { readonly missing: string };

/** A revision with its SQL, and what the stack says to its findings. */
export interface ReportedRevision
  extends RevisionView,
    Pick<EvaluatedRevision, "file" | "upgrade" | "downgrade" | "reversibleReason" | "findings" | "locks"> {}

/** The plan with the approvals that it was judged by. */
export interface ReportedPlan extends UpdatePlan {
  readonly approvals: readonly Approval[];
}

/** What a report tells of a release and its database; `--json` prints it. */
export interface Report {
  /** ISO 8601, in UTC. */
  readonly madeAt: string;
  /** Where the release is deployed; `null` if no cluster was to be asked. */
  readonly target: { readonly context: string; readonly namespace: string; readonly image: string | null } | null;
  /** Where the release ends: the revision that the stack names, else the heads of the lock. */
  readonly heads: readonly string[];
  readonly live: Part<Description & { readonly state: LiveState }>;
  readonly plan: Part<ReportedPlan>;
  /** In the order in which people read them. */
  readonly checks: Part<readonly CheckResult[]>;
  /** Oldest first. */
  readonly runs: Part<readonly RunRecord[]>;
  /** The whole chain, from its bases to its heads. */
  readonly revisions: readonly ReportedRevision[];
  /** What the release leaves, in the order in which the chain makes them. */
  readonly tables: readonly TableDetails[];
}

/** @returns The part's value; `undefined` if it can't be had. */
export function known<T>(part: Part<T>): T | undefined {
  return "value" in part ? part.value : undefined;
}

/** @returns The report without the password of any URL, whoever wrote one into a message or into SQL. */
export function redacted(report: Report): Report {
  const clean = (_key: string, value: unknown) => (typeof value === "string" ? redact(value) : value);
  return JSON.parse(JSON.stringify(report), clean) as Report;
}
