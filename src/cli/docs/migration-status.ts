import { singleLine, tableChanges } from "../../lockfile/describe.ts";
import type { FileHashes, LockedRevision, LockedSql } from "../../lockfile/lock.ts";
import { describeLockedRehearsal } from "../../lockfile/rehearsal.ts";
import { versionTableName } from "../../lockfile/version-table.ts";
import { pluralize } from "../../pluralize.ts";
import { printable } from "../../printable.ts";
import type { TableView } from "../chain/schema.ts";
import type { RevisionView } from "../chain/view.ts";
import type { DocumentInputs } from "./inputs.ts";
import { code, codes, markdownOrigin, prose } from "./markdown.ts";
import { renderTemplate, type View } from "./template.ts";

/** Returns `MIGRATION_STATUS.md`: every revision of the chain. */
export function migrationStatus({ revisions, tables, release, expected }: DocumentInputs): string {
  const latest = revisions.at(-1);
  const locked = new Map(release.lock.revisions.map((revision) => [revision.id, revision]));
  return renderTemplate("MIGRATION_STATUS.md", {
    origin: markdownOrigin,
    revisionCount: pluralize(revisions.length, "revision"),
    tableCount: pluralize(tables.length, "table"),
    versionTable: versionTableName(release.lock.versionTable),
    head: expected.head,
    headTitle: prose(latest?.title ?? ""),
    headDay: prose(latest?.day ?? "unknown date"),
    revisions: revisions.flatMap((revision) => {
      const lock = locked.get(revision.id);
      return lock === undefined ? [] : [revisionView(revision, lock, expected.head, tables)];
    }),
    rehearsal: describeLockedRehearsal(release.lock),
    files: filesView(release.lock.files),
    ...envView(release.lock.env),
  });
}

function revisionView(
  revision: RevisionView,
  locked: LockedRevision,
  head: string,
  tables: readonly TableView[],
): View {
  const { position, id, title, day, downRevisions, reversible } = revision;
  const created = tables.filter(({ createdBy }) => createdBy === id);
  return {
    position,
    revision: id === head ? `**${code(id)}** (latest)` : code(id),
    title: prose(title),
    day: prose(day ?? "unknown"),
    after: codes(downRevisions) || "–",
    creates: revision.tables === null ? "unknown" : codes(revision.tables.created) || "–",
    reversible: reversible === null ? "unknown" : reversible ? "yes" : "no",
    summary: summarize(revision, created),
    hasTables: created.length > 0,
    tables: created.map(({ name, columns, references }) => ({
      name,
      columns: prose(columns.join(", ")) || "unknown",
      references: codes([...new Set(references.map((reference) => reference.table))]) || "–",
    })),
    blocks: describeBlocks(locked),
    hasFindings: locked.findings.length > 0,
    findings: locked.findings.map(({ level, rule, message }) => ({
      level,
      rule,
      message: prose(message.split("\n")[0] ?? ""),
    })),
    evidence: prose(revision.evidence.replace(/^./, (first) => first.toUpperCase())),
    reversibility: locked.reversible ? "Reversible" : prose(`Can't be undone: ${locked.reversibleReason}`),
    file: fileLink(locked.file, locked.sha256),
    hasFiles: Object.keys(locked.files).length > 0,
    files: filesView(locked.files),
  };
}

function envView(env: LockedSql): View {
  if (env.sql === null) return { env: prose(`SQL of env.py is not known: ${env.reason}`), envStatements: [] };
  return {
    env: env.sql.length > 0 ? "env.py itself executes, around the revisions:" : "",
    envStatements: env.sql.map((sql) => ({ statement: printable(singleLine(sql)) })),
  };
}

function filesView(files: FileHashes): View[] {
  return Object.entries(files).map(([file, sha256]) => ({ file: fileLink(file, sha256) }));
}

/** Returns a link to a file, and the start of its hash. */
function fileLink(file: string, sha256: string): string {
  const link = encodeURI(file).replaceAll("(", "%28").replaceAll(")", "%29");
  return `[${code(file)}](../../backend/${link}), SHA-256 \`${sha256.slice(0, 16)}…\``;
}

/** Describes a revision in one sentence. */
function summarize({ id, tables, day, dependsOn }: RevisionView, created: readonly TableView[]): string {
  const counts: readonly (readonly [number, string])[] = [
    [created.length, "table"],
    [sum(created, ({ indexes }) => indexes), "index"],
    [sum(created, ({ references }) => references.length), "foreign key"],
  ];
  const nouns = counts.flatMap(([count, noun]) => (count > 0 ? [pluralize(count, noun)] : []));
  const changes = nouns.length > 0 ? [`creates ${enumerate(nouns)}`] : [];
  // Tables that a later revision drops are not in the document.
  const isComplete = tables?.created.length === created.length && tables.altered.length + tables.dropped.length === 0;
  if (!isComplete) changes.push(...tableChanges(tables).map(prose));
  if (changes.length === 0) changes.push("changes no table");
  const dependencies = dependsOn.length > 0 ? ` It depends on ${codes(dependsOn)}.` : "";
  return `${code(id)} (${prose(day ?? "unknown date")}) ${changes.join("; ")}.${dependencies}`;
}

function sum(tables: readonly TableView[], count: (table: TableView) => number): number {
  return tables.reduce((total, each) => total + count(each), 0);
}

function enumerate(phrases: readonly string[]): string {
  return phrases.length > 1 ? `${phrases.slice(0, -1).join(", ")} and ${phrases.at(-1)}` : phrases.join("");
}

/** Returns the operations that an upgrade blocks; empty if none. */
function describeBlocks({ locks }: LockedRevision): string {
  const blocking = locks.filter(({ mode, blocks }) => mode !== null && blocks !== "nothing");
  return [...Map.groupBy(blocking, ({ blocks }) => blocks)]
    .map(([blocks, each]) => `${blocks} of ${codes([...new Set(each.map(({ table }) => table ?? ""))])}`)
    .join("; ");
}
