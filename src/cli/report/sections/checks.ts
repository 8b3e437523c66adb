import type { CheckResult } from "../../../checks/result.ts";
import { type Content, html } from "../html.ts";
import { badge, shown, table } from "../parts.ts";
import type { Part } from "../report.ts";

/** @returns The checks' results: those that failed first. */
export function checksSection(part: Part<readonly CheckResult[]>): Content {
  return shown(part, (results) => {
    const failed = results.filter(({ passed }) => !passed);
    const rows = [...failed, ...results.filter(({ passed }) => passed)];
    return table({
      caption:
        failed.length === 0
          ? `All ${results.length} checks passed.`
          : `${failed.length} of ${results.length} checks failed.`,
      stacks: true,
      rows,
      columns: [
        { heading: "Check", cell: ({ name }) => html`<span id="check-${name}">${name}</span>` },
        { heading: "Result", cell: ({ passed }) => (passed ? badge("good", "passed") : badge("bad", "failed")) },
        { heading: "Expected", cell: ({ expected }) => expected },
        {
          heading: "Found",
          cell: ({ found, command }) =>
            html`${found}<details><summary>By hand</summary><pre><code>${command}</code></pre></details>`,
        },
        { heading: "Time", cell: ({ seconds }) => html`<span class="number">${seconds.toFixed(1)} s</span>` },
      ],
    });
  });
}
