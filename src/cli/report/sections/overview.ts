import type { LiveState } from "../../../plan/live-state.ts";
import { pluralize } from "../../../pluralize.ts";
import { type Content, type Html, html } from "../html.ts";
import { badge, codes, prose, renderPart, type Tone, utcTime } from "../parts.ts";
import { known, type Report } from "../report.ts";
import { outcomeOf } from "./results.ts";

function statusOf({ kind }: LiveState): readonly [Tone, string] {
  switch (kind) {
    case "at-head":
      return ["good", "Up to date"];
    case "ahead":
      return ["good", "Ahead"];
    case "behind":
    case "never-applied":
    case "not-deployed":
      return ["warn", "Pending"];
    case "beyond-target":
      return ["warn", "Beyond the target"];
    case "unknown-revision":
    case "overlapping-revisions":
      return ["bad", "Requires manual action"];
    case "unreachable":
      return ["bad", "Unavailable"];
  }
}

/** Renders the database's state, and a figure for each section. */
export function overview(report: Report): Content {
  const { live, target, heads, createdAt } = report;
  const callout = renderPart(live, ({ state, message, remediation }) => {
    const [tone, status] = statusOf(state);
    return html`<div class="callout ${tone}"><p>${badge(tone, status)} <strong>${message}</strong></p><p>${prose(remediation)}</p></div>`;
  });
  const facts: (readonly [name: string, value: Content])[] = [];
  if (target !== null) {
    const image = target.image === null ? "not set" : html`<code>${target.image}</code>`;
    facts.push(
      ["Namespace", html`<code>${target.namespace}</code>`],
      ["Context", target.context === undefined ? "current" : html`<code>${target.context}</code>`],
      ["Image", image],
    );
  }
  facts.push(["Release head", codes(heads)], ["Created", utcTime(createdAt)]);
  const figures = [planFigure(report), checksFigure(report), runsFigure(report), chainFigure(report)];
  figures.push(figure("schema", "Schema", pluralize(report.tables.length, "table")));
  return html`${callout}
<dl class="figures">${figures}</dl>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`;
}

function figure(id: string, name: string, value: Content, more: Content = null): Html {
  return html`<div><dt><a href="#${id}">${name}</a></dt><dd>${value}${more && html` <span class="more">${more}</span>`}</dd></div>`;
}

function planFigure(report: Report): Html {
  const plan = known(report.plan);
  if (plan === undefined || plan.pending === null) return figure("plan", "Pending", "–", "unknown");
  const name = plan.direction === "downgrade" ? "To downgrade" : "Pending";
  return figure("plan", name, plan.pending.length, plan.rejection && badge("bad", "rejected"));
}

function checksFigure(report: Report): Html {
  const checks = known(report.checks);
  if (checks === undefined) return figure("checks", "Checks", "–", "unknown");
  const failed = checks.filter(({ passed }) => !passed).length;
  const status = failed === 0 ? badge("good", "passed") : badge("bad", `${failed} failed`);
  return figure("checks", "Checks", `${checks.length - failed} of ${checks.length}`, status);
}

function runsFigure(report: Report): Html {
  const runs = known(report.runs);
  if (runs === undefined) return figure("runs", "Last run", "–", "unknown");
  const last = runs.at(-1);
  if (last === undefined) return figure("runs", "Last run", "–", "none recorded");
  return figure("runs", "Last run", outcomeOf(last), utcTime(last.finishedAt ?? last.startedAt));
}

function chainFigure({ revisions }: Report): Html {
  const applied = revisions.filter(({ status }) => status === "applied").length;
  const isKnown = revisions.some(({ status }) => status !== null);
  if (!isKnown) return figure("chain", "Chain", pluralize(revisions.length, "revision"));
  return figure("chain", "Chain", `${applied} of ${revisions.length}`, "applied");
}
