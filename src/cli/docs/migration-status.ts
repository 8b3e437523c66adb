import { tableChanges } from "../../lockfile/describe.ts";
import type { LockedRevision } from "../../lockfile/lock.ts";
import type { TableView } from "../chain/schema.ts";
import type { RevisionView } from "../chain/view.ts";
import type { DocumentInputs } from "./inputs.ts";
import { codes, markdownOrigin, several } from "./markdown.ts";
import { renderTemplate, type View } from "./template.ts";

/** Returns `MIGRATION_STATUS.md`: every revision of the chain. */
export function migrationStatus({ revisions, tables, release, expected }: DocumentInputs): string {
  const latest = revisions.at(-1);
  const locked = new Map(release.lock.revisions.map((revision) => [revision.id, revision]));
  return renderTemplate("MIGRATION_STATUS.md", {
    origin: markdownOrigin,
    revisionCount: several(revisions.length, "revision"),
    tableCount: several(tables.length, "table"),
    head: expected.head,
    headTitle: latest?.title,
    headDay: latest?.day ?? "an unknown day",
    revisions: revisions.flatMap((revision) => {
      const lock = locked.get(revision.id);
      return lock === undefined ? [] : [revisionView(revision, lock, expected.head, tables)];
    }),
  });
}

function revisionView(
  revision: RevisionView,
  locked: LockedRevision,
  head: string,
  tables: readonly TableView[],
): View {
  const { position, id, title, day, downRevisions, reversible } = revision;
  const created = tables.filter(({ madeBy }) => madeBy === id);
  return {
    position,
    revision: id === head ? `**\`${id}\`** (latest)` : `\`${id}\``,
    title,
    day: day ?? "not known",
    after: codes(downRevisions) || "–",
    creates: revision.tables === null ? "not known" : codes(revision.tables.created) || "–",
    reversible: reversible === null ? "not known" : reversible ? "yes" : "no",
    summary: summarize(revision, created),
    hasTables: created.length > 0,
    tables: created.map(({ name, columns, references }) => ({
      name,
      columns: columns.join(", ") || "not known",
      references: codes([...new Set(references.map((reference) => reference.table))]) || "–",
    })),
    blocks: describeBlocks(locked),
    hasFindings: locked.findings.length > 0,
    findings: locked.findings.map(({ level, rule, message }) => ({ level, rule, message: message.split("\n")[0] })),
    undo: locked.reversible ? "It can be undone" : `It can't be undone: ${locked.reversibleReason}`,
    file: locked.file,
    sha256: locked.sha256.slice(0, 16),
  };
}

/** Returns a sentence on what a revision does. */
function summarize({ id, tables, day, dependsOn }: RevisionView, made: readonly TableView[]): string {
  const things = [
    { count: made.length, noun: "table" },
    { count: sum(made, ({ indexes }) => indexes), noun: "index" },
    { count: sum(made, ({ references }) => references.length), noun: "foreign key" },
  ];
  const makes = things.flatMap(({ count, noun }) => (count > 0 ? [several(count, noun)] : []));
  // What a later revision drops again is in no table below.
  const isAllBelow = tables?.created.length === made.length && tables.altered.length + tables.dropped.length === 0;
  const does = [
    ...(makes.length > 0 ? [`makes ${enumerated(makes)}`] : []),
    ...(isAllBelow ? [] : tableChanges(tables)),
  ];
  const needs = dependsOn.length > 0 ? ` It also needs ${codes(dependsOn)}.` : "";
  return `\`${id}\`, made on ${day ?? "an unknown day"}, ${does.join("; ") || "changes no table"}.${needs}`;
}

function sum(tables: readonly TableView[], count: (table: TableView) => number): number {
  return tables.reduce((total, each) => total + count(each), 0);
}

function enumerated(args: readonly string[]): string {
  return args.length > 1 ? `${args.slice(0, -1).join(", ")} and ${args.at(-1)}` : args.join("");
}

/** Returns what an upgrade keeps others from doing; empty if nothing. */
function describeBlocks({ locks }: LockedRevision): string {
  const blocking = locks.filter(({ mode, blocks }) => mode !== null && blocks !== "nothing");
  return [...Map.groupBy(blocking, ({ blocks }) => blocks)]
    .map(([blocks, each]) => `${blocks} of ${codes([...new Set(each.map(({ table }) => table ?? ""))])}`)
    .join("; ");
}
