import type { CheckResult } from "../../../checks/result.ts";
import { versionTableName } from "../../../lockfile/version-table.ts";
import { type RunRecord, runRecordTable, secondsOf } from "../../../plan/run-record.ts";
import { pluralize } from "../../../pluralize.ts";
import { type Content, html } from "../html.ts";
import { badge, code, codes, renderPart, type Tone, table, utcTime } from "../parts.ts";
import type { Part } from "../report.ts";

/** Renders the checks' results, failures first. */
export function checksSection(part: Part<readonly CheckResult[]>): Content {
  return renderPart(part, (results) => {
    const failures = results.filter(({ passed }) => !passed);
    const passes = results.filter(({ passed }) => passed);
    return table({
      caption: `${passes.length} passed, ${failures.length} failed`,
      stacks: true,
      rows: [...failures, ...passes],
      columns: [
        { heading: "Check", cell: ({ name }) => name },
        { heading: "Status", cell: ({ passed }) => (passed ? badge("good", "passed") : badge("bad", "failed")) },
        { heading: "Expected", cell: ({ expected }) => expected },
        {
          heading: "Actual",
          cell: ({ found, command }) =>
            html`${found}<details><summary>Reproduce</summary><pre><code>${command}</code></pre></details>`,
        },
        { heading: "Time", cell: ({ seconds }) => duration(seconds) },
      ],
    });
  });
}

const tones: Readonly<Record<RunRecord["outcome"], Tone>> = {
  running: "busy",
  succeeded: "good",
  failed: "bad",
  interrupted: "warn",
};

/** Renders the outcome of a run. */
export function outcomeOf({ outcome }: RunRecord): Content {
  return badge(tones[outcome] ?? "plain", outcome);
}

/** Renders the recorded migration runs, newest first. */
export function runsSection(part: Part<readonly RunRecord[]>): Content {
  return renderPart(part, (runs) => {
    if (runs.length === 0)
      return html`<p>No recorded runs: nothing was migrated, or the role can't create the table of runs.</p>`;
    return table({
      caption: html`${pluralize(runs.length, "run")} in <code>${versionTableName(runRecordTable)}</code>, newest first`,
      stacks: true,
      rows: runs.toReversed(),
      columns: [
        { heading: "Run", cell: ({ id }) => html`<span class="number">${id}</span>` },
        { heading: "Outcome", cell: (run) => [outcomeOf(run), run.error !== null && html`<pre>${run.error}</pre>`] },
        { heading: "Started", cell: ({ startedAt }) => utcTime(startedAt) },
        { heading: "Duration", cell: (run) => runDuration(run) },
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

function runDuration(run: RunRecord): Content {
  const seconds = secondsOf(run);
  return seconds === null ? "not finished" : duration(seconds);
}

function duration(seconds: number): Content {
  return html`<span class="number">${seconds.toFixed(1)}s</span>`;
}

function revisions(rows: readonly string[]): Content {
  return rows.length === 0 ? "no revision" : codes(rows);
}
