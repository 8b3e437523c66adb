import { describeAdoption, describeRejected } from "../../../adoption/adoption.ts";
import { describeLocks, describeReversible, tableChanges } from "../../../lockfile/describe.ts";
import type { PendingRevision } from "../../../plan/plan.ts";
import { describeJob } from "../../../plan/plan-report.ts";
import { describeRejection } from "../../../plan/rejection-report.ts";
import { pluralize } from "../../../pluralize.ts";
import type { ReportedPlan } from "../../deployed/deployed.ts";
import { type Content, type Html, html } from "../html.ts";
import { badge, pendingId, prose, renderPart } from "../parts.ts";
import type { Part } from "../report.ts";
import { countedStatements, describeFinding, statements } from "./statements.ts";

/** Renders what an update will do, and why it is rejected. */
export function planSection(part: Part<ReportedPlan>): Content {
  return renderPart(part, (plan) => [rejection(plan), adoption(plan), summary(plan), pending(plan)]);
}

function rejection({ rejection, pending, adoption }: ReportedPlan): Content {
  const lines = [...describeRejected(adoption.rejected)];
  if (rejection !== null) lines.push(...describeRejection(rejection, pending !== null));
  if (lines.length === 0) return null;
  return html`<div class="callout bad"><p>${badge("bad", "Rejected")} An update makes no changes.</p>
<pre>${lines.join("\n")}</pre></div>
`;
}

function adoption({ adoption }: ReportedPlan): Content {
  const lines = describeAdoption(adoption);
  return lines.length > 0 && html`<pre>${lines.join("\n")}</pre>`;
}

function summary(plan: ReportedPlan): Content {
  const { message, remediation, job, hash, rejection } = plan;
  if (job === null && rejection === null) return html`<p>${message}</p><p>${prose(remediation)}</p>`;
  return [
    html`<p>${countPending(plan)}</p>`,
    job !== null && html`<p>${describeJob(job)}</p>`,
    hash !== null && html`<p>Plan hash: <code>${hash}</code></p>`,
  ];
}

function countPending({ pending, direction, total, state }: ReportedPlan): string {
  if (pending === null) return "The database revision is unknown, and so are the pending revisions.";
  if (pending.length === 0) return "No pending revisions.";
  const name = direction === "upgrade" ? "Pending" : "To downgrade";
  const atMost = state.kind === "not-deployed" ? "at most " : "";
  return `${name}: ${atMost}${pending.length} of ${pluralize(total, "revision")}, in this order.`;
}

function pending(plan: ReportedPlan): Content {
  const describe = plan.direction === "upgrade" ? describeUpgrade : describeDowngrade;
  return (plan.pending ?? []).map((revision) => describe(revision, plan));
}

function heading({ id, title, position }: PendingRevision, { total }: ReportedPlan, suffix = ""): Html {
  return html`<h3><span class="quiet">${position}/${total}</span> ${title}${suffix} <code>${id}</code></h3>`;
}

function describeUpgrade(revision: PendingRevision, plan: ReportedPlan): Html {
  const { id, tables, upgrade, findings, locks } = revision;
  const approvals = plan.approvals.filter((approval) => approval.revision === id);
  const notes: Content[] = [...describeLocks(locks)];
  for (const finding of findings) {
    const { statement } = finding;
    const place = statement !== null && html` <span class="quiet">(statement ${statement + 1})</span>`;
    notes.push([describeFinding(finding, approvals), place]);
  }
  if (findings.length === 0) notes.push(badge("good", "no findings"));
  return html`<article class="revision" id="${pendingId(id)}">
${heading(revision, plan)}
<p>${[...tableChanges(tables), describeReversible(revision)].join("; ")}</p>
<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>
<details><summary>SQL of the upgrade, ${countedStatements(upgrade)}</summary>
${statements(upgrade, { findings, locks, approvals })}</details></article>
`;
}

function describeDowngrade(revision: PendingRevision, plan: ReportedPlan): Html {
  return html`<article class="revision" id="${pendingId(revision.id)}">
${heading(revision, plan, " (downgrade)")}
<details><summary>SQL of the downgrade, ${countedStatements(revision.downgrade)}</summary>
${statements(revision.downgrade)}</details></article>
`;
}
