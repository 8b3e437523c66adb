import { describeLocks } from "../../../lockfile/describe.ts";
import type { LockedSql } from "../../../lockfile/lock.ts";
import type { StatementLock } from "../../../lockfile/statement-lock.ts";
import type { Approval } from "../../../plan/approvals.ts";
import type { EvaluatedFinding } from "../../../plan/policy.ts";
import { type Content, type Html, html } from "../html.ts";
import { badge, prose } from "../parts.ts";

/** What is said of the statements of an upgrade. */
interface Said {
  readonly findings: readonly EvaluatedFinding[];
  readonly locks: readonly StatementLock[];
  /** Of the revision, with their reasons. */
  readonly approvals?: readonly Approval[];
}

/** @returns A finding with what the stack says to it. */
export function describeFinding(finding: EvaluatedFinding, approvals: readonly Approval[] = []): Html {
  const { level, rule, message, help, approved } = finding;
  const reason = approvals.find((approval) => approval.rule === rule)?.reason;
  const consent = approved && html` ${badge("good", "approved")}${reason && html` <q>${reason}</q>`}`;
  const mark = badge(level === "error" ? "bad" : "warn", level);
  return html`${mark} <code>${rule}</code>${consent}: ${prose(message)} ${help && prose(help)}`;
}

/** @returns SQL, each statement with what it keeps others from doing and what is found against it. */
export function statements({ sql, ...rest }: LockedSql, said: Said = { findings: [], locks: [] }): Html {
  if (sql === null) return html`<p>Not known without a database: ${"reason" in rest && rest.reason}</p>`;
  if (sql.length === 0) return html`<p>No statement.</p>`;
  return html`<ol class="statements">
${sql.map((statement, index) => html`<li><pre><code>${statement}</code></pre>${notes(index, said)}</li>\n`)}</ol>
`;
}

function notes(index: number, { findings, locks, approvals }: Said): Content {
  const lines = [
    ...describeLocks(locks.filter(({ statement }) => statement === index)),
    ...findings.filter(({ statement }) => statement === index).map((finding) => describeFinding(finding, approvals)),
  ];
  return lines.length > 0 && html`<ul class="notes">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

/** @returns How many statements there are, in words. */
export function counted({ sql }: LockedSql): string {
  if (sql === null) return "not known";
  return sql.length === 1 ? "1 statement" : `${sql.length} statements`;
}
