import { shorten } from "../../../lockfile/describe.ts";
import { describePrediction, type PredictedStatement, shortName } from "../../../plan/blocking-time.ts";
import { pluralize } from "../../../pluralize.ts";
import { styled } from "../../highlight.ts";
import type { BlockingTimes } from "./outcome.ts";

/** Returns a share with two digits. */
export function percentText(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`;
}

/** Describes predicted times: what each statement of a pending revision blocks. */
export function describeTimes(times: BlockingTimes): string[] {
  const { like, current, scale, slowness, otherCollation, rows, revisions } = times;
  const { unknownTables, failed, exceeded, written } = times;
  const sizes = Object.entries(rows).map(([name, count]) => `${shortName(name)} ${count.toLocaleString("en-US")}`);
  const lines = [
    `Database of ${like} is at ${current.join(", ") || "no revision"}; ${pluralize(revisions.length, "revision")} measured on ${percentText(scale)} of its rows`,
    ...(sizes.length > 0 ? [`Rows: ${sizes.join(", ")}`] : []),
  ];
  for (const { id, title, statements } of revisions) {
    lines.push("", styled("heading", `${id}  ${title}`));
    const shown = statements.filter(isNoticeable);
    for (const { sql, ...statement } of shown)
      lines.push(`  ${sql === null ? "all statements" : shorten(sql)}`, `    ${describePrediction(statement)}`);
    const others = statements.length - shown.length;
    if (others > 0) lines.push(`  ${pluralize(others, "statement")} under 0.1s that block nothing`);
  }
  for (const [name, reason] of Object.entries(unknownTables))
    lines.push("", styled("attention", `Statements on ${shortName(name)} have no times: ${reason}`));
  if (failed !== null)
    lines.push(
      "",
      styled("bad", `${failed.revision} failed on generated rows; no times from there on:`),
      `  ${failed.error}`,
    );
  lines.push("", ...exceeded.map((message) => styled("bad", message)));
  lines.push(
    `Times are those of an idle server that sorts ${slowness === 1 ? "as fast as" : `${slowness} times as long as`} this machine, and are accurate to a factor of 2`,
  );
  if (otherCollation !== null)
    lines.push(`Text is sorted by the collation ${otherCollation} there, which may take several times as long as here`);
  if (written !== null)
    lines.push(styled("good", `Wrote the times per row to ${written}: plans show them for the live rows`));
  return lines;
}

/** Whether a statement takes long, or blocks anything. */
function isNoticeable({ milliseconds, blocks }: PredictedStatement): boolean {
  return milliseconds === null || milliseconds >= 100 || blocks.length > 0;
}
