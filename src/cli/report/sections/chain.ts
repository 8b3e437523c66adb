import { tableChanges } from "../../../lockfile/describe.ts";
import { pluralize } from "../../../pluralize.ts";
import { type Content, type Html, html } from "../html.ts";
import { badge, pendingId, revisionId } from "../parts.ts";
import type { Report, ReportedRevision } from "../report.ts";
import { countedStatements, describeFinding, statements } from "./statements.ts";

/**
 * Renders the chain, from its bases to its heads.
 *
 * @param plannedIds - Revisions whose SQL is in the plan.
 */
export function chainSection({ revisions }: Report, plannedIds: ReadonlySet<string>): Content {
  return [
    html`<p>${pluralize(revisions.length, "revision")} in the order in which they are applied.</p>`,
    html`<ol class="chain">\n${revisions.map((revision) => describe(revision, plannedIds.has(revision.id)))}</ol>\n`,
  ];
}

function describe(revision: ReportedRevision, isPlanned: boolean): Html {
  const { id, title, position, day, tables, status, reversible, reversibleReason, downRevisions, dependsOn } = revision;
  const facts: Content[] = [];
  if (day) facts.push(day);
  if (downRevisions.length > 0) facts.push(html`after ${links(downRevisions)}`);
  if (dependsOn.length > 0) facts.push(html`depends on ${links(dependsOn)}`);
  facts.push(...tableChanges(tables), revision.evidence);
  const warning = reversible === false ? "irreversible" : "reversibility unknown";
  const details = isPlanned
    ? html`<p><a href="#${pendingId(id)}">Findings and SQL in the plan</a></p>`
    : [revisionFindings(revision), sql(revision)];
  return html`<li id="${revisionId(id)}" class="${status ?? "unknown"}" value="${position}">
<h3>${title} <code>${id}</code> ${badges(revision)}</h3>
<p class="quiet">${facts.map((fact, index) => html`${index > 0 && " · "}${fact}`)}</p>
${reversible !== true && html`<p>${badge("warn", warning)} ${reversibleReason}</p>`}${details}
</li>
`;
}

function badges({ status, latest, current }: ReportedRevision): Content {
  const statusBadges = { applied: badge("good", "applied", "●"), pending: badge("warn", "pending", "○") };
  return [
    status && statusBadges[status],
    latest && html` ${badge("plain", "latest", "◆")}`,
    current && html` ${badge("plain", "current", "▸")}`,
  ];
}

/** Renders the findings on the revision as a whole. */
function revisionFindings({ findings }: ReportedRevision): Content {
  const whole = findings.filter(({ statement }) => statement === null);
  return (
    whole.length > 0 && html`<ul class="notes">${whole.map((each) => html`<li>${describeFinding(each)}</li>`)}</ul>`
  );
}

function sql({ file, upgrade, downgrade, findings, locks }: ReportedRevision): Html {
  const summary = `SQL: upgrade ${countedStatements(upgrade)}, downgrade ${countedStatements(downgrade)}`;
  return html`<details><summary>${summary}</summary>
<p class="quiet"><code>${file}</code></p>
<h4>Upgrade</h4>
${statements(upgrade, { findings, locks })}<h4>Downgrade</h4>
${statements(downgrade)}</details>`;
}

function links(ids: readonly string[]): Content {
  return ids.map((id, index) => html`${index > 0 && " and "}<a href="#${revisionId(id)}"><code>${id}</code></a>`);
}
