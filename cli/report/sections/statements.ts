import type { Approval } from "../../../migrations/approvals.ts";
import type { LockedSql } from "../../../migrations/lock.ts";
import type { JudgedFinding } from "../../../migrations/policy.ts";
import { describeLocks, type StatementLock } from "../../../migrations/statement-lock.ts";
import { type Content, type Html, html } from "../html.ts";
import { badge, several } from "../parts.ts";

/** What is said of the statements of an upgrade. */
interface Said {
  readonly findings: readonly JudgedFinding[];
  readonly locks: readonly StatementLock[];
  /** Of the revision, with their reasons. */
  readonly approvals?: readonly Approval[];
}

/** @returns A finding with what the stack says to it. */
export function describeFinding(finding: JudgedFinding, approvals: readonly Approval[] = []): Html {
  const { level, rule, message, help, approved } = finding;
  const reason = approvals.find((approval) => approval.rule === rule)?.reason;
  const consent = approved && html` ${badge("good", "approved")}${reason && html` <q>${reason}</q>`}`;
  return html`${badge(level === "error" ? "bad" : "warn", level)} <code>${rule}</code>${consent}: ${message}${help && html` ${help}`}`;
}

/** @returns SQL that opens: a statement each with what it keeps others from doing and what is found against it. */
export function statements(title: string, { sql, ...rest }: LockedSql, said: Said = { findings: [], locks: [] }): Html {
  if (sql === null) {
    const reason = "reason" in rest ? rest.reason : "";
    return html`<p class="quiet">${title}: not known without a database: ${reason}</p>`;
  }
  if (sql.length === 0) return html`<p class="quiet">${title}: none</p>`;
  return html`<details><summary>${title}, ${several(sql.length, "statement")}</summary>
<ol class="statements">
${sql.map((statement, index) => html`<li><pre><code>${statement}</code></pre>${notes(index, said)}</li>\n`)}</ol></details>
`;
}

function notes(index: number, { findings, locks, approvals }: Said): Content {
  const lines = [
    ...describeLocks(locks.filter(({ statement }) => statement === index)).map((phrase) => html`${phrase}`),
    ...findings.filter(({ statement }) => statement === index).map((finding) => describeFinding(finding, approvals)),
  ];
  return lines.length > 0 && html`<ul class="notes">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}
