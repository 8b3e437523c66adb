import { describeAdoption, describeRejected } from "../../../adoption/adoption.ts";
import { describeLocks, describeReversible, tableChanges } from "../../../lockfile/describe.ts";
import type { PendingRevision } from "../../../plan/plan.ts";
import { describeJob } from "../../../plan/plan-report.ts";
import { describeRejection } from "../../../plan/rejection-report.ts";
import { type Content, type Html, html } from "../html.ts";
import { pendingId } from "../ids.ts";
import { badge, prose, several, shown } from "../parts.ts";
import type { Part, ReportedPlan } from "../report.ts";
import { counted, describeFinding, statements } from "./statements.ts";

/** @returns What an update would do, and what is against it. */
export function planSection(part: Part<ReportedPlan>): Content {
  return shown(part, (plan) => [rejection(plan), takenOver(plan), summary(plan), pending(plan)]);
}

function rejection({ rejection, pending, adoption }: ReportedPlan): Content {
  const lines = [
    ...describeRejected(adoption.rejected),
    ...(rejection === null ? [] : describeRejection(rejection, pending !== null)),
  ];
  if (lines.length === 0) return null;
  return html`<div class="callout bad"><p>${badge("bad", "Refused")} An update stops before it changes anything.</p>
<pre>${lines.join("\n")}</pre></div>
`;
}

function takenOver({ adoption }: ReportedPlan): Content {
  const lines = describeAdoption(adoption);
  return lines.length > 0 && html`<pre>${lines.join("\n")}</pre>`;
}

function summary({
  message,
  remediation,
  pending,
  job,
  hash,
  rejection,
  direction,
  total,
  state,
}: ReportedPlan): Content {
  if (job === null && rejection === null) return html`<p>${message}</p><p>${prose(remediation)}</p>`;
  const atMost = state.kind === "not-deployed" ? "at most " : "";
  const args =
    pending === null
      ? "The database revision is unknown, and so are the pending revisions."
      : pending.length === 0
        ? "Nothing is pending: an update migrates nothing."
        : `${direction === "upgrade" ? "Pending" : "To downgrade"}: ${atMost}${pending.length} of ${several(total, "revision")}, in this order.`;
  return [
    html`<p>${args}</p>`,
    job !== null && html`<p>${describeJob(job)}</p>`,
    hash !== null && html`<p>Plan hash: <code>${hash}</code></p>`,
  ];
}

function pending(plan: ReportedPlan): Content {
  const describe = plan.direction === "upgrade" ? describePending : describeUndone;
  return (plan.pending ?? []).map((revision) => describe(revision, plan));
}

function heading({ id, title, position }: PendingRevision, { total }: ReportedPlan, more = ""): Html {
  return html`<h3><span class="quiet">${position}/${total}</span> ${title}${more} <code>${id}</code></h3>`;
}

function describePending(revision: PendingRevision, plan: ReportedPlan): Html {
  const { id, tables, upgrade, findings, locks } = revision;
  const approvals = plan.approvals.filter((approval) => approval.revision === id);
  const where = (statement: number | null) =>
    statement !== null && html` <span class="quiet">(statement ${statement + 1})</span>`;
  const lines = [
    ...describeLocks(locks).map((phrase) => html`${phrase}`),
    ...findings.map((finding) => html`${describeFinding(finding, approvals)}${where(finding.statement)}`),
  ];
  return html`<article class="revision" id="${pendingId(id)}">
${heading(revision, plan)}
<p>${[...tableChanges(tables), describeReversible(revision)].join("; ")}</p>
<ul class="notes">${lines.map((line) => html`<li>${line}</li>`)}${findings.length === 0 && html`<li>${badge("good", "no finding")}</li>`}</ul>
<details><summary>SQL of the upgrade, ${counted(upgrade)}</summary>
${statements(upgrade, { findings, locks, approvals })}</details></article>
`;
}

/** A revision that is to be undone: what its downgrade runs. */
function describeUndone(revision: PendingRevision, plan: ReportedPlan): Html {
  return html`<article class="revision" id="${pendingId(revision.id)}">
${heading(revision, plan, " (downgrade)")}
<details><summary>SQL of the downgrade, ${counted(revision.downgrade)}</summary>
${statements(revision.downgrade)}</details></article>
`;
}
