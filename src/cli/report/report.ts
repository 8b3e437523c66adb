import type { CheckResult } from "../../checks/result.ts";
import { redact } from "../../cluster/kubectl.ts";
import type { CommandTarget } from "../../kubectl-command.ts";
import type { EvaluatedRevision } from "../../plan/findings.ts";
import type { LiveState } from "../../plan/live-state.ts";
import type { RunRecord } from "../../plan/run-record.ts";
import type { Description } from "../../plan/state-report.ts";
import type { TableDetails } from "../chain/schema.ts";
import type { RevisionView } from "../chain/view.ts";
import type { ReportedPlan } from "../deployed/deployed.ts";

/** A part of a report, or why it is missing. */
export type Part<T> = { readonly value: T } | { readonly missing: string };

/** A revision with its SQL and its evaluated findings. */
export interface ReportedRevision
  extends RevisionView,
    Pick<EvaluatedRevision, "file" | "upgrade" | "downgrade" | "reversibleReason" | "findings" | "locks"> {}

/** A report on a release and its database; `--json` prints it. */
export interface Report {
  /** ISO 8601, in UTC. */
  readonly createdAt: string;
  /** Where the release is deployed; `null` with `--offline`. */
  readonly target: (CommandTarget & { readonly image: string | null }) | null;
  /** Last revision of the release: the stack's target, or the heads of the chain. */
  readonly heads: readonly string[];
  readonly live: Part<Description & { readonly state: LiveState }>;
  readonly plan: Part<ReportedPlan>;
  readonly checks: Part<readonly CheckResult[]>;
  /** Oldest first. */
  readonly runs: Part<readonly RunRecord[]>;
  /** The whole chain, from its bases to its heads. */
  readonly revisions: readonly ReportedRevision[];
  /** Tables at {@link heads}, in the order of their creation. */
  readonly tables: readonly TableDetails[];
}

/** Returns the value of a part; `undefined` if it is missing. */
export function known<T>(part: Part<T>): T | undefined {
  return "value" in part ? part.value : undefined;
}

/** Returns a report without passwords in URLs, which error messages and SQL may contain. */
export function redacted(report: Report): Report {
  const clean = (_key: string, value: unknown) => (typeof value === "string" ? redact(value) : value);
  return JSON.parse(JSON.stringify(report), clean) as Report;
}
