import { tableChanges } from "../../../lockfile/describe.ts";
import { type Content, type Html, html } from "../html.ts";
import { pendingId, revisionId } from "../ids.ts";
import { badge, several } from "../parts.ts";
import type { Report, ReportedRevision } from "../report.ts";
import { counted, describeFinding, statements } from "./statements.ts";

/** @param planned Ids of the revisions whose SQL the plan has. @returns The chain, from its bases to its heads. */
export function chainSection({ revisions }: Report, planned: ReadonlySet<string>): Content {
  return [
    html`<p>${several(revisions.length, "revision")} in the order in which they are applied.</p>`,
    html`<ol class="chain">\n${revisions.map((revision) => describe(revision, planned.has(revision.id)))}</ol>\n`,
  ];
}

function describe(revision: ReportedRevision, planned: boolean): Html {
  const { id, title, position, day, tables, status, reversible, reversibleReason, downRevisions, dependsOn } = revision;
  const facts = [
    day,
    downRevisions.length > 0 && html`after ${links(downRevisions)}`,
    dependsOn.length > 0 && html`needs ${links(dependsOn)}`,
    ...tableChanges(tables),
  ].filter(Boolean);
  const lasting = reversible === false ? "irreversible" : "reversibility unknown";
  return html`<li id="${revisionId(id)}" class="${status ?? "unknown"}" value="${position}">
<h3>${title} <code>${id}</code> ${marks(revision)}</h3>
<p class="quiet">${facts.map((fact, index) => html`${index > 0 && " · "}${fact}`)}</p>
${reversible !== true && html`<p>${badge("warn", lasting)} ${reversibleReason}</p>`}${planned ? html`<p><a href="#${pendingId(id)}">What the plan says of it, and its SQL</a></p>` : [general(revision), sql(revision)]}
</li>
`;
}

function marks({ status, latest, current }: ReportedRevision): Content {
  const badges = { applied: badge("good", "applied", "●"), pending: badge("warn", "pending", "○") };
  return [
    status && badges[status],
    latest && html` ${badge("plain", "latest", "◆")}`,
    current && html` ${badge("plain", "the database is here", "▸")}`,
  ];
}

/** What is found against the revision as a whole. */
function general({ findings }: ReportedRevision): Content {
  const whole = findings.filter(({ statement }) => statement === null);
  return (
    whole.length > 0 && html`<ul class="notes">${whole.map((each) => html`<li>${describeFinding(each)}</li>`)}</ul>`
  );
}

function sql({ file, upgrade, downgrade, findings, locks }: ReportedRevision): Html {
  return html`<details><summary>SQL: ${counted(upgrade)} to upgrade, ${counted(downgrade)} to downgrade</summary>
<p class="quiet"><code>${file}</code></p>
<h4>Upgrade</h4>
${statements(upgrade, { findings, locks })}<h4>Downgrade</h4>
${statements(downgrade)}</details>`;
}

function links(ids: readonly string[]): Content {
  return ids.map((id, index) => html`${index > 0 && " and "}<a href="#${revisionId(id)}"><code>${id}</code></a>`);
}
