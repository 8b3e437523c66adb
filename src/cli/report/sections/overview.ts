import type { LiveState } from "../../../plan/live-state.ts";
import { type Content, type Html, html } from "../html.ts";
import { badge, codes, moment, prose, several, shown, type Tone } from "../parts.ts";
import { known, type Report } from "../report.ts";
import { outcomeOf } from "./runs.ts";

/** What a state means at a glance. */
function glance({ kind }: LiveState): readonly [Tone, string] {
  switch (kind) {
    case "at-head":
      return ["good", "Up to date"];
    case "ahead":
      return ["good", "Ahead"];
    case "behind":
    case "never-applied":
    case "not-deployed":
      return ["warn", "To migrate"];
    case "beyond-target":
      return ["warn", "Beyond the target"];
    case "unknown-revision":
    case "overlapping-revisions":
      return ["bad", "A person has to decide"];
    case "unreachable":
      return ["bad", "Can't be asked"];
  }
}

/** @returns Where the database is, and the report's figures, each with the section that has more. */
export function overview(report: Report): Content {
  const { live, target, heads, madeAt } = report;
  const callout = shown(live, ({ state, message, remediation }) => {
    const [tone, word] = glance(state);
    return html`<div class="callout ${tone}"><p>${badge(tone, word)} <strong>${message}</strong></p><p>${prose(remediation)}</p></div>`;
  });
  const facts: readonly (readonly [string, Content])[] = [
    ...(target === null
      ? []
      : ([
          ["Namespace", html`<code>${target.namespace}</code>`],
          ["Context", html`<code>${target.context}</code>`],
          ["Image", target.image === null ? "not set" : html`<code>${target.image}</code>`],
        ] as const)),
    ["Release ends at", codes(heads)],
    ["Made", moment(madeAt)],
  ];
  return html`${callout}
<dl class="figures">${figures(report)}</dl>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`;
}

function figures(report: Report): readonly Html[] {
  const { revisions, tables } = report;
  const [plan, checks, runs] = [known(report.plan), known(report.checks), known(report.runs)];
  const applied = revisions.filter(({ status }) => status === "applied").length;
  const isKnown = revisions.some(({ status }) => status !== null);
  const failed = checks?.filter((check) => !check.passed).length;
  const last = runs?.at(-1);
  const pending = plan?.pending?.length;
  const figure = (id: string, name: string, value: Content, more: Content = null) =>
    html`<div><dt><a href="#${id}">${name}</a></dt><dd>${value}${more && html` <span class="more">${more}</span>`}</dd></div>`;
  return [
    figure(
      "plan",
      plan?.direction === "downgrade" ? "To downgrade" : "Pending",
      pending ?? "–",
      pending === undefined ? "not known" : plan?.rejection && badge("bad", "refused"),
    ),
    figure(
      "checks",
      "Checks",
      checks === undefined || failed === undefined ? "–" : `${checks.length - failed} of ${checks.length}`,
      failed === undefined ? "not known" : failed === 0 ? badge("good", "passed") : badge("bad", `${failed} failed`),
    ),
    figure(
      "runs",
      "Last run",
      last === undefined ? "–" : outcomeOf(last),
      last === undefined ? (runs ? "none recorded" : "not known") : moment(last.finishedAt ?? last.startedAt),
    ),
    figure(
      "chain",
      "Chain",
      isKnown ? `${applied} of ${revisions.length}` : several(revisions.length, "revision"),
      isKnown && "applied",
    ),
    figure("schema", "Schema", several(tables.length, "table")),
  ];
}
