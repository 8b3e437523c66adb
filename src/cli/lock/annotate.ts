import type { Node } from "libpg-query";
import { chainHeads } from "../../lockfile/chain.ts";
import { incompatibilities } from "../../lockfile/database-schema/compatibility.ts";
import type { DatabaseSchema } from "../../lockfile/database-schema/database-schema.ts";
import type { PackedLock } from "../../lockfile/evidence.ts";
import { compareFindings, type Finding, knownSql, type LockedRevision } from "../../lockfile/lock.ts";
import { schemaAfter, schemaAtBase } from "../../lockfile/rehearsal.ts";
import { isShownBySchema, rollbackBlocker, type SchemaBefore } from "../../lockfile/rollback-blocker.ts";
import { columnType, type Draft, emptyDraft } from "../../lockfile/schema/draft.ts";
import { followAll } from "../../lockfile/schema/statements.ts";
import { nameOf, openParser, type Parse, texts } from "../../lockfile/sql-parser.ts";
import { blockedBy, type LockMode, type StatementLock, stronger } from "../../lockfile/statement-lock.ts";
import { printable } from "../../printable.ts";
import { blockerText, branchBlocker, envBlocker, schemaBlocker } from "./blockers.ts";
import { revisionFindings, statementFindings, syntaxError } from "./own-findings.ts";
import { breakingFindings, modelFindings, rehearsalFindings } from "./rehearsal-findings.ts";
import type { RenderedChain } from "./rendered-chain.ts";
import type { Effect } from "./sql/effect.ts";
import { Relations } from "./sql/relations.ts";
import { effectOf } from "./sql/statements.ts";
import { lint } from "./squawk.ts";
import { RevisionTransaction } from "./transaction-findings.ts";

/** Findings, locks, indexes, and the first rollback blocker of one upgrade. */
interface Reading {
  readonly findings: Finding[];
  readonly locks: StatementLock[];
  readonly indexes: { readonly built: string[]; readonly repaired: string[] };
  /** Indexes of statements that concern only tables of the same revision: other sessions don't see them yet. */
  readonly invisible: Set<number>;
  rollbackBlocker: string | null;
  /** The first rollback blocker that the schemas before and after don't show: it changes rows. */
  rowBlocker: string | null;
}

/**
 * Adds to each revision the findings on its upgrade's SQL and the locks that it takes.
 *
 * @param models - Differences of env.py's models from the schema at the head.
 * @throws {CommandError} If the linter can't be installed.
 */
export async function annotate(
  { env, revisions, maxIdLength }: Pick<RenderedChain, "env" | "revisions" | "maxIdLength">,
  report: (line: string) => void,
  models: readonly string[] = [],
): Promise<LockedRevision[]> {
  const [parse, linted] = await Promise.all([
    openParser(),
    lint(
      revisions.map(({ upgrade }) => knownSql(upgrade) ?? []),
      report,
    ),
  ]);
  const relations = new Relations();
  const draft = emptyDraft();
  const ofEnv = envBlocker(env, parse);
  const [firstBase, ...otherBases] = revisions.filter(({ downRevisions }) => downRevisions.length === 0);
  const heads = new Set(chainHeads(revisions));
  const isHead = (id: string) => heads.has(id);
  let idLimit = maxIdLength ?? Number.POSITIVE_INFINITY;
  let schema: DatabaseSchema | null = schemaAtBase;
  return revisions.map((revision, index) => {
    const before = schema;
    schema = before && schemaAfter(before, revision);
    const breaking = before && schema && incompatibilities(before, schema, parse);
    if (knownSql(revision.upgrade)?.some((sql) => /version_num/i.test(sql))) idLimit = Number.POSITIVE_INFINITY;
    if (knownSql(revision.upgrade) === null) draft.tables.clear();
    const reading = readUpgrade(knownSql(revision.upgrade) ?? [], parse, relations, draft);
    const { findings, indexes, invisible } = reading;
    const locks = addRehearsed(reading.locks, revision.rehearsed?.locks ?? []);
    const visible = (linted[index] ?? []).filter(({ statement }) => statement === null || !invisible.has(statement));
    const base = otherBases.includes(revision) ? firstBase?.id : undefined;
    const evidence = [...rehearsalFindings(revision), ...breakingFindings(breaking ?? [])];
    if (isHead(revision.id)) evidence.push(...modelFindings(models));
    const all = [...revisionFindings(revision, idLimit, base), ...evidence, ...visible, ...findings].map(
      printableFinding,
    );
    const ofRevision = breaking === null ? reading.rollbackBlocker : (schemaBlocker(breaking) ?? reading.rowBlocker);
    const rollbackBlocker = branchBlocker(revision) ?? ofEnv ?? ofRevision;
    return { ...revision, findings: all.sort(compareFindings), locks, indexes, rollbackBlocker };
  });
}

/** A message may name a table or quote SQL. */
function printableFinding(finding: Finding): Finding {
  const { message, help } = finding;
  return { ...finding, message: printable(message), help: help === null ? null : printable(help) };
}

function readUpgrade(statements: readonly string[], parse: Parse, relations: Relations, draft: Draft): Reading {
  const indexes = { built: [], repaired: [] };
  const reading: Reading = {
    findings: [],
    locks: [],
    indexes,
    invisible: new Set(),
    rollbackBlocker: null,
    rowBlocker: null,
  };
  const [created, added] = [new Set<string>(), new Set<string>()];
  const schema: SchemaBefore = { created, added, typeOf: (table, column) => columnType(draft, table, column) };
  const transaction = new RevisionTransaction();
  for (const [index, sql] of statements.entries()) {
    const nodes = parse(sql);
    if ("error" in nodes) {
      reading.findings.push(syntaxError(nodes.error, index));
      reading.locks.push(unknownLock("PostgreSQL's parser rejects it", index));
      reading.rollbackBlocker ??= blockerText("is rejected by PostgreSQL's parser", sql);
      reading.rowBlocker ??= reading.rollbackBlocker;
      followAll(draft, nodes, sql);
      continue;
    }
    const effects: Effect[] = [];
    let visible = false;
    for (const node of nodes) {
      const effect = effectOf(node, relations);
      effects.push(effect);
      relations.note(node);
      const blocker = rollbackBlocker(node, schema);
      if (blocker !== null) reading.rollbackBlocker ??= blockerText(blocker, sql);
      if (blocker !== null && !isShownBySchema(node)) reading.rowBlocker ??= blockerText(blocker, sql);
      followAll(draft, [node], sql);
      noteAdded(node, added);
      noteCreated(effect, created);
      noteIndexes(node, reading.indexes);
      reading.findings.push(...transaction.next(node, index));
      if (!isInvisible(effect, created)) {
        visible = true;
        reading.findings.push(...statementFindings(node, index));
      }
    }
    if (effects.length > 0 && !visible) reading.invisible.add(index);
    reading.locks.push(...recordLocks(effects, created, index));
  }
  return reading;
}

function noteCreated({ creates, renames }: Effect, created: Set<string>): void {
  for (const table of creates) created.add(table);
  if (renames !== undefined && created.has(renames.from)) created.add(renames.to);
}

function noteAdded(node: Node, added: Set<string>): void {
  if (!("AlterTableStmt" in node)) return;
  const { relation, cmds = [] } = node.AlterTableStmt;
  for (const part of cmds) {
    if (!("AlterTableCmd" in part) || part.AlterTableCmd.subtype !== "AT_AddColumn") continue;
    const { def, missing_ok } = part.AlterTableCmd;
    if (def && "ColumnDef" in def && !missing_ok) added.add(`${nameOf(relation)}.${def.ColumnDef.colname}`);
  }
}

/** Notes the indexes that a statement creates concurrently, drops, or rebuilds. */
function noteIndexes(node: Node, { built, repaired }: Reading["indexes"]): void {
  if ("IndexStmt" in node && node.IndexStmt.concurrent) {
    const { idxname: relname = "", relation } = node.IndexStmt;
    const name = nameOf({ ...relation, relname });
    if (!repaired.includes(name)) built.push(name);
  } else if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_INDEX") {
    for (const object of node.DropStmt.objects ?? []) {
      if ("List" in object) repaired.push(texts(object.List.items).join("."));
    }
  } else if ("ReindexStmt" in node && node.ReindexStmt.kind === "REINDEX_OBJECT_INDEX") {
    repaired.push(nameOf(node.ReindexStmt.relation));
  }
}

function isInvisible({ subjects }: Effect, created: ReadonlySet<string>): boolean {
  return subjects.length > 0 && subjects.every((table) => created.has(table));
}

/** Returns the strongest lock on each existing table, except those of readers, and the unknown locks. */
function recordLocks(effects: readonly Effect[], created: ReadonlySet<string>, statement: number): StatementLock[] {
  const modes = new Map<string, LockMode>();
  for (const { table, mode } of effects.flatMap(({ locks }) => locks)) {
    if (!created.has(table)) modes.set(table, stronger(mode, modes.get(table) ?? mode));
  }
  const known = [...modes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([table, mode]) => ({ statement, table, mode, blocks: blockedBy(mode) }));
  const counted = known.filter(({ mode }) => mode !== "ACCESS SHARE" && mode !== "ROW SHARE");
  const unknown = effects.flatMap(({ unknown: reason }) =>
    reason === undefined ? [] : [unknownLock(reason, statement)],
  );
  return [...counted, ...unknown];
}

/** Adds the locks of a rehearsal before the unknown ones of their statement. */
function addRehearsed(locks: readonly StatementLock[], rehearsed: readonly PackedLock[]): StatementLock[] {
  return locks.flatMap((lock) => {
    if (lock.mode !== null) return [lock];
    const taken = rehearsed.filter(([statement]) => statement === lock.statement);
    return [...taken.map(([statement, table, mode]) => ({ statement, table, mode, blocks: blockedBy(mode) })), lock];
  });
}

function unknownLock(reason: string, statement: number): StatementLock {
  return { statement, table: null, mode: null, blocks: null, reason };
}
