import type { LockedRevision } from "../../lockfile/lock.ts";
import { tableChanges } from "../../lockfile/table-changes.ts";
import type { TableView } from "../chain/schema.ts";
import type { RevisionView } from "../chain/view.ts";
import type { DocumentInputs } from "./inputs.ts";
import { codes, markdownOrigin, several, table } from "./markdown.ts";

/** @returns `MIGRATION_STATUS.md`: every revision of the chain. */
export function migrationStatus(inputs: DocumentInputs): string {
  const { revisions, tables, release, expected } = inputs;
  const latest = revisions.at(-1);
  const locked = new Map(release.lock.revisions.map((revision) => [revision.id, revision]));
  return [
    markdownOrigin,
    "# Migration status",
    `The chain has ${several(revisions.length, "revision")} and leaves ${several(tables.length, "table")}, besides ` +
      `Alembic's own \`alembic_version\`. The latest is \`${expected.head}\` (${latest?.title}, ${latest?.day}).`,
    "Which of them a database has is not written down here, since it would soon be wrong: " +
      "`npm run unity -- status` asks it, as does [`check_migrations.sh --check`](check_migrations.sh) with kubectl alone.",
    overview(revisions, expected.head),
    ...revisions.map((revision) => section(revision, locked.get(revision.id), tables)),
  ].join("\n\n");
}

function overview(revisions: readonly RevisionView[], head: string): string {
  const rows = revisions.map(({ position, id, title, day, downRevisions, tables, reversible }) => [
    String(position),
    id === head ? `**\`${id}\`** (latest)` : `\`${id}\``,
    title,
    day ?? "not known",
    downRevisions.length > 0 ? codes(downRevisions) : "–",
    tables === null ? "not known" : codes(tables.created) || "–",
    reversible === null ? "not known" : reversible ? "yes" : "no",
  ]);
  return table(["#", "revision", "title", "date", "after", "makes", "can be undone"], rows);
}

function section(revision: RevisionView, locked: LockedRevision | undefined, tables: readonly TableView[]): string {
  const { position, id, title } = revision;
  const made = tables.filter(({ madeBy }) => madeBy === id);
  return [
    `## ${position}. ${title}`,
    describe(revision, made),
    ...details(made),
    ...caveats(locked),
    source(locked),
  ].join("\n\n");
}

/** A sentence on what a revision does. */
function describe({ id, tables, day, dependsOn }: RevisionView, made: readonly TableView[]): string {
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

function details(made: readonly TableView[]): string[] {
  if (made.length === 0) return [];
  const rows = made.map(({ name, columns, references }) => {
    const targets = [...new Set(references.map((reference) => reference.table))];
    return [`\`${name}\``, columns.join(", ") || "not known", codes(targets) || "–"];
  });
  return [table(["table", "columns", "points at"], rows)];
}

/** What an upgrade keeps others from doing, and what the linter has against it. */
function caveats(locked: LockedRevision | undefined): string[] {
  const locks = (locked?.locks ?? []).flatMap((lock) =>
    lock.mode === null || lock.blocks === "nothing" ? [] : [lock],
  );
  const blocked = [...Map.groupBy(locks, ({ blocks }) => blocks)].map(
    ([blocks, each]) => `${blocks} of ${codes([...new Set(each.map(({ table: name }) => name))])}`,
  );
  const findings = locked?.findings ?? [];
  return [
    ...(blocked.length > 0 ? [`While it runs, it keeps others waiting: ${blocked.join("; ")}.`] : []),
    ...(findings.length > 0
      ? [findings.map(({ level, rule, message }) => `- ${level} \`${rule}\`: ${message.split("\n")[0]}`).join("\n")]
      : []),
  ];
}

function source(locked: LockedRevision | undefined): string {
  if (locked === undefined) return "";
  const undo = locked.reversible ? "It can be undone" : `It can't be undone: ${locked.reversibleReason}`;
  return `${undo}. File: [\`${locked.file}\`](../../backend/${locked.file}), SHA-256 \`${locked.sha256.slice(0, 16)}…\`.`;
}
