import { singleLine } from "../../lockfile/describe.ts";
import type { Remark } from "./remarks.ts";

/** An issue of GitLab's report (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format). */
interface CodeQualityIssue {
  readonly description: string;
  readonly check_name: string;
  readonly fingerprint: string;
  readonly severity: "info" | "minor" | "critical";
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } };
}

/** Returns the issues of a code quality report of GitLab. */
export function codeQuality(remarks: readonly Remark[]): CodeQualityIssue[] {
  return remarks.map(({ rule, level, approved, file, line, message, help, fingerprint }) => ({
    description: singleLine(`${message} ${help ?? ""}`),
    check_name: rule,
    fingerprint,
    severity: approved ? "info" : level === "error" ? "critical" : "minor",
    location: { path: file, lines: { begin: line } },
  }));
}
