import { describeLocks } from "../../../lockfile/describe.ts";
import { knownSql, type LockedSql } from "../../../lockfile/lock.ts";
import type { StatementLock } from "../../../lockfile/statement-lock.ts";
import type { Approval } from "../../../plan/approvals.ts";
import type { EvaluatedFinding } from "../../../plan/findings.ts";
import { pluralize } from "../../../pluralize.ts";
import { type Content, type Html, html } from "../html.ts";
import { badge, prose } from "../parts.ts";

/** Notes on the statements of an upgrade. */
interface StatementNotes {
  readonly findings: readonly EvaluatedFinding[];
  readonly locks: readonly StatementLock[];
  /** Approvals of the revision. */
  readonly approvals?: readonly Approval[];
}

/** Renders a finding and its approval. */
export function describeFinding(finding: EvaluatedFinding, approvals: readonly Approval[] = []): Html {
  const { level, rule, message, help, approved } = finding;
  const reason = approvals.find((approval) => approval.rule === rule)?.reason;
  const approval = approved && html` ${badge("good", "approved")}${reason && html` <q>${reason}</q>`}`;
  const mark = badge(level === "error" ? "bad" : "warn", level);
  return html`${mark} <code>${rule}</code>${approval}: ${prose(message)} ${help && prose(help)}`;
}

/** Renders SQL, each statement with its locks and findings. */
export function statements(direction: LockedSql, notes: StatementNotes = { findings: [], locks: [] }): Html {
  const sql = knownSql(direction);
  const unknown = direction.sql === null && html`<p>Not known: ${direction.reason}</p>`;
  if (sql === null) return html`${unknown}`;
  if (sql.length === 0) return html`<p>No statements.</p>`;
  return html`${unknown}${unknown && html`<p>Statements of the rehearsal:</p>`}<ol class="statements">
${sql.map((statement, index) => html`<li><pre><code>${statement}</code></pre>${statementNotes(index, notes)}</li>\n`)}</ol>
`;
}

function statementNotes(index: number, { findings, locks, approvals }: StatementNotes): Content {
  const lines = [
    ...describeLocks(locks.filter(({ statement }) => statement === index)),
    ...findings.filter(({ statement }) => statement === index).map((finding) => describeFinding(finding, approvals)),
  ];
  return lines.length > 0 && html`<ul class="notes">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

/** Returns the number of statements as text. */
export function countedStatements(direction: LockedSql): string {
  const sql = knownSql(direction);
  return sql === null ? "unknown" : pluralize(sql.length, "statement");
}
