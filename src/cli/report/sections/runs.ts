import { type RunRecord, runRecordTable, secondsOf } from "../../../plan/run-record.ts";
import { type Content, html } from "../html.ts";
import { badge, code, codes, moment, several, shown, type Tone, table } from "../parts.ts";
import type { Part } from "../report.ts";

const tones: Readonly<Record<RunRecord["outcome"], Tone>> = {
  running: "busy",
  succeeded: "good",
  failed: "bad",
  interrupted: "warn",
};

/** @returns A run's outcome. */
export function outcomeOf({ outcome }: RunRecord): Content {
  return badge(tones[outcome] ?? "plain", outcome);
}

/** @returns The migrations that ran on the database, the newest first. */
export function runsSection(part: Part<readonly RunRecord[]>): Content {
  return shown(part, (runs) => {
    if (runs.length === 0)
      return html`<p>No recorded runs: nothing was migrated, or the role can't create the table of runs.</p>`;
    return table({
      caption: html`${several(runs.length, "run")} in <code>${runRecordTable}</code>, the newest first`,
      stacks: true,
      rows: runs.toReversed(),
      columns: [
        { heading: "Run", cell: ({ id }) => html`<span class="number">${id}</span>` },
        { heading: "Outcome", cell: (run) => [outcomeOf(run), run.error !== null && html`<pre>${run.error}</pre>`] },
        { heading: "Started", cell: ({ startedAt }) => moment(startedAt) },
        { heading: "Took", cell: (run) => took(secondsOf(run)) },
        {
          heading: "Revisions",
          cell: ({ direction, from, to, target }) =>
            html`${direction}: ${revisions(from)} <span aria-label="to">→</span> ${revisions(to ?? target)}`,
        },
        {
          heading: "Image",
          cell: ({ image, planHash, runner }) =>
            html`${code(image)}<details><summary>Plan and pod</summary><p>plan <code>${planHash}</code>, pod <code>${runner}</code></p></details>`,
        },
      ],
    });
  });
}

function took(seconds: number | null): Content {
  return seconds === null ? "not ended" : html`<span class="number">${seconds.toFixed(1)} s</span>`;
}

function revisions(rows: readonly string[]): Content {
  return rows.length === 0 ? "no revision" : codes(rows);
}
