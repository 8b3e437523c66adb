import { describeLocks, describeReversible, tableChanges } from "../../lockfile/describe.ts";
import { headError, knownSql, type Lock, type LockedRevision } from "../../lockfile/lock.ts";
import { pluralize } from "../../pluralize.ts";
import { printable } from "../../printable.ts";
import { code, codes, prose } from "../docs/markdown.ts";
import type { Base } from "./base.ts";
import type { Remark } from "./remarks.ts";

/** The content of a summary. */
export interface SummaryInputs {
  readonly lock: Lock;
  /** Path of the app's folder below the repository's root. */
  readonly prefix: string;
  readonly base: Pick<Base, "name" | "commit"> | null;
  /** Revisions of a database; `null` if none are given. */
  readonly from: readonly string[] | null;
  readonly pending: readonly LockedRevision[];
  /** The first pending revision after which the code of earlier releases may fail. */
  readonly rollbackBlocker: { readonly revision: string; readonly blocker: string } | null;
  readonly remarks: readonly Remark[];
  readonly failed: boolean;
}

/** Bytes of a summary that GitHub accepts, less a margin for what other steps append. */
const limit = 1_000_000;

/** Returns a summary in Markdown, without SQL if it would be too long. */
export function markdownSummary(inputs: SummaryInputs): string {
  const whole = render(inputs, true);
  return Buffer.byteLength(whole) <= limit ? whole : render(inputs, false);
}

function render(inputs: SummaryInputs, withSql: boolean): string {
  const { lock, prefix, pending, remarks } = inputs;
  const ofChain = remarks.filter(({ rule, revision }) => !isFinding(rule, revision, pending));
  const positions = new Map(lock.revisions.map(({ id }, index) => [id, index + 1]));
  const sections = pending.map((revision) => {
    const found = remarks.filter((remark) => remark.revision === revision.id && !ofChain.includes(remark));
    const heading = `${positions.get(revision.id)}/${lock.revisions.length} ${code(revision.id)} ${code(revision.title)}`;
    return [`### ${heading}`, "", `- File: ${code(prefix + revision.file)}`, ...describe(revision, found, withSql)];
  });
  const parts = [["## Migrations", "", ...overview(inputs)], ofChain.map(remarkLine), ...sections];
  const text = parts.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${printable(text.join("\n\n"))}\n`;
}

/** Whether a remark belongs to the section of a pending revision. */
function isFinding(rule: string, revision: string | null, pending: readonly LockedRevision[]): boolean {
  return pending.some(({ id, findings }) => id === revision && findings.some((finding) => finding.rule === rule));
}

function overview({ lock, base, from, pending, rollbackBlocker, remarks, failed }: SummaryInputs): string[] {
  const errors = remarks.filter(({ level, approved }) => level === "error" && !approved).length;
  const warnings = remarks.filter(({ level }) => level === "warning").length;
  const approved = remarks.filter((remark) => remark.approved && remark.level === "error").length;
  const counts = [pluralize(errors, "error"), pluralize(warnings, "warning")];
  if (approved > 0) counts.push(`${approved} approved`);
  const count = `${pending.length} of ${pluralize(lock.revisions.length, "revision")}`;
  const rows = [["Result", `${failed ? "❌ failed" : "✅ passed"}: ${counts.join(", ")}`]];
  if (base !== null) rows.push(["Base", `${code(base.name)} (${base.commit.slice(0, 12)})`]);
  if (from !== null) rows.push(["Database", from.length === 0 ? "uninitialized" : codes(from)]);
  rows.push(["Pending", pending.length === 0 ? "none" : count]);
  rows.push([headError(lock) === null ? "Head" : "Heads", codes(lock.heads)]);
  if (pending.length > 0) rows.push(["Rollback window", rollbackWindow(rollbackBlocker)]);
  return ["| | |", "| --- | --- |", ...rows.map(([name, value = ""]) => `| ${name} | ${cell(value)} |`)];
}

/** Describes whether the code of earlier releases keeps working on the schema after the pending revisions. */
function rollbackWindow(end: SummaryInputs["rollbackBlocker"]): string {
  if (end === null) return "kept: the code of earlier releases keeps working";
  return `ends at ${code(end.revision)}: ${prose(end.blocker)}`;
}

function describe(revision: LockedRevision, remarks: readonly Remark[], withSql: boolean): string[] {
  const { upgrade, locks, rollbackBlocker } = revision;
  const changes = [...tableChanges(revision.tables), describeReversible(revision)].join("; ");
  const lines = [`- Changes: ${prose(changes)}`];
  for (const phrase of describeLocks(locks)) lines.push(`- Table lock: ${prose(phrase)}`);
  const compatible = rollbackBlocker === null ? "keeps working" : `may fail: ${prose(rollbackBlocker)}`;
  lines.push(`- Code of earlier releases: ${compatible}`, ...remarks.map(remarkLine));
  if (upgrade.sql === null) lines.push(`- SQL is not known: ${prose(upgrade.reason)}`);
  const sql = knownSql(upgrade) ?? [];
  if (upgrade.sql === null && sql.length > 0) lines.push("- Its statements are those of a rehearsal");
  if (sql.length > 0) lines.push("", ...(withSql ? sqlBlock(sql) : ["SQL omitted: the summary would be too long."]));
  return lines;
}

function remarkLine({ rule, level, approved, file, line, message, help }: Remark): string {
  const advice = help === null ? "" : ` ${help}`;
  const title = `**${approved && level === "error" ? "approved" : level}** ${code(rule)}`;
  return `- ${title} at ${code(`${file}:${line}`)}: ${prose(message + advice).replaceAll(/\s*\n\s*/g, " ")}`;
}

/** Returns statements as a folded block of code, whose fence is longer than any in them. */
function sqlBlock(statements: readonly string[]): string[] {
  const sql = statements.join("\n");
  const longest = Math.max(2, ...[...sql.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  const title = `<details><summary>SQL: ${pluralize(statements.length, "statement")}</summary>`;
  return [title, "", `${fence}sql`, sql, fence, "", "</details>"];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ");
}
