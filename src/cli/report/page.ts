import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { commandLine } from "../../command-line.ts";
import { type Content, Html, html } from "./html.ts";
import { section } from "./parts.ts";
import { known, type Report } from "./report.ts";
import { chainSection } from "./sections/chain.ts";
import { overview } from "./sections/overview.ts";
import { planSection } from "./sections/plan.ts";
import { checksSection, runsSection } from "./sections/results.ts";
import { schemaSection } from "./sections/schema.ts";

const style = readFileSync(new URL("report.css", import.meta.url), "utf8");

/** Allows the page only its own style and inline images: it loads and runs nothing. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Renders a report as one self-contained HTML page. */
export function renderReport(report: Report): string {
  const { target, plan, checks, runs } = report;
  const plannedIds = new Set(known(plan)?.pending?.map(({ id }) => id));
  const sections: readonly (readonly [id: string, title: string, content: Content])[] = [
    ["plan", "Plan", planSection(plan)],
    ["checks", "Checks", checksSection(checks)],
    ["runs", "Run history", runsSection(runs)],
    ["chain", "Chain", chainSection(report, plannedIds)],
    ["schema", "Schema", schemaSection(report)],
  ];
  const title = `Migrations of ${target === null ? "this release" : `${target.namespace} on ${target.context ?? "the current context"}`}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}, ${report.createdAt.slice(0, 10)}</title>
<link rel="icon" href="data:,">
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header><p>Migration report</p></header>
<div class="page">
<nav aria-label="Contents"><ul>
<li><a href="#main">Overview</a></li>
${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>\n`)}</ul></nav>
<main id="main" tabindex="-1">
<h1>${title}</h1>
${overview(report)}
${sections.map(([id, title, content]) => section(id, title, content))}</main>
</div>
<footer><p>Created by <code>${commandLine("report")}</code> at ${report.createdAt}.</p></footer>
</body>
</html>
`;
  return page.text;
}
