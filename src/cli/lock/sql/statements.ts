import type { Node, ObjectType, RangeVar } from "libpg-query";
import { findAll, type Kind, type NodeOf, nameOf, relationsOf, texts } from "../../../lockfile/sql-parser.ts";
import { lockModes } from "../../../lockfile/statement-lock.ts";
import { alterTable, unknownIndex } from "./alter-table.ts";
import { closure, creating, type Effect, lockAll, locking, noEffect, unknown } from "./effect.ts";
import { foreignKeysOf, type Relations } from "./relations.ts";

type Handlers = { readonly [K in Kind]?: (statement: NodeOf<K>, relations: Relations) => Effect };

/** Objects that are dropped like tables. */
const tableLike: ReadonlySet<ObjectType | undefined> = new Set<ObjectType>([
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_FOREIGN_TABLE",
]);

/** Relations that are not tables. */
const noTables: ReadonlySet<ObjectType | undefined> = new Set<ObjectType>([
  "OBJECT_INDEX",
  "OBJECT_SEQUENCE",
  "OBJECT_ATTRIBUTE",
]);

/** Objects that belong to one table, which their name starts with. */
const partsOfTables: ReadonlySet<ObjectType | undefined> = new Set<ObjectType>([
  "OBJECT_TRIGGER",
  "OBJECT_RULE",
  "OBJECT_POLICY",
]);

/**
 * Locks by kind of statement (https://www.postgresql.org/docs/current/explicit-locking.html and each command's page).
 * A partitioned table represents its partitions. tests/cli/statement-locks.test.ts compares this with `pg_locks`.
 */
const handlers: Handlers = {
  AlterTableStmt: alterTable,
  CreateStmt({ relation, tableElts = [], inhRelations, partbound, if_not_exists }) {
    const table = nameOf(relation);
    const referenced = tableElts.flatMap((element) => foreignKeysOf(table, element)).map((key) => key.references);
    const locks = [
      ...lockAll(
        "SHARE ROW EXCLUSIVE",
        referenced.filter((name) => name !== table),
      ),
      ...lockAll(partbound ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE", relationsOf(inhRelations)),
    ];
    return if_not_exists ? { ...creating(table, locks), creates: [] } : creating(table, locks);
  },
  CreateTableAsStmt: ({ into }) => creating(nameOf(into?.rel)),
  ViewStmt: ({ view, replace }) => (replace ? locking("ACCESS EXCLUSIVE", [nameOf(view)]) : creating(nameOf(view))),
  IndexStmt: ({ relation, concurrent }) => locking(concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE", [nameOf(relation)]),
  RenameStmt({ renameType, relation, newname }, relations) {
    // An index is renamed without a lock on its table.
    if (relation === undefined || noTables.has(renameType)) return noEffect;
    const isColumn = renameType === "OBJECT_COLUMN" && relation.inh === true;
    const heirs = isColumn ? closure([nameOf(relation)], (name) => relations.heirsOf(name)) : [];
    const effect = locking("ACCESS EXCLUSIVE", [nameOf(relation)], lockAll("ACCESS EXCLUSIVE", heirs));
    const renames = { from: nameOf(relation), to: nameOf({ ...relation, relname: newname }) };
    return renameType === "OBJECT_TABLE" ? { ...effect, renames } : effect;
  },
  AlterObjectSchemaStmt: ({ relation, objectType }) =>
    relation && !noTables.has(objectType) ? locking("ACCESS EXCLUSIVE", [nameOf(relation)]) : noEffect,
  DropStmt: drop,
  TruncateStmt({ relations: nodes, behavior }, relations) {
    const tables = relationsOf(nodes);
    const isCascade = behavior === "DROP_CASCADE";
    const next = (table: string) => [...relations.heirsOf(table), ...(isCascade ? relations.referencing(table) : [])];
    return locking("ACCESS EXCLUSIVE", tables, lockAll("ACCESS EXCLUSIVE", closure(tables, next)));
  },
  LockStmt({ relations: nodes = [], mode: number = lockModes.length }, relations) {
    const mode = lockModes[number - 1] ?? "ACCESS EXCLUSIVE";
    const tables = relationsOf(nodes);
    const all = relationsOf(nodes.filter((node) => "RangeVar" in node && node.RangeVar.inh));
    return locking(
      mode,
      tables,
      lockAll(
        mode,
        closure(all, (table) => relations.heirsOf(table)),
      ),
    );
  },
  CreateTrigStmt: ({ relation }) => locking("SHARE ROW EXCLUSIVE", [nameOf(relation)]),
  RuleStmt: ({ relation }) => locking("ACCESS EXCLUSIVE", [nameOf(relation)]),
  CreatePolicyStmt: ({ table }) => locking("ACCESS EXCLUSIVE", [nameOf(table)]),
  AlterPolicyStmt: ({ table }) => locking("ACCESS EXCLUSIVE", [nameOf(table)]),
  CreateStatsStmt: ({ relations }) => locking("SHARE UPDATE EXCLUSIVE", relationsOf(relations)),
  CommentStmt({ objtype, object }) {
    const parts = object !== undefined && "List" in object ? texts(object.List.items) : [];
    if (tableLike.has(objtype)) return locking("SHARE UPDATE EXCLUSIVE", [parts.join(".")]);
    return objtype === "OBJECT_COLUMN" ? locking("SHARE UPDATE EXCLUSIVE", [parts.slice(0, -1).join(".")]) : noEffect;
  },
  RefreshMatViewStmt: ({ relation, concurrent }) =>
    locking(concurrent ? "EXCLUSIVE" : "ACCESS EXCLUSIVE", [nameOf(relation)]),
  ClusterStmt: ({ relation }) =>
    relation ? locking("ACCESS EXCLUSIVE", [nameOf(relation)]) : unknown("rewrites every clustered table"),
  VacuumStmt({ rels, options = [], is_vacuumcmd }) {
    const tables = findAll(rels, "VacuumRelation").map(({ relation }) => nameOf(relation));
    const full = is_vacuumcmd && options.some((node) => "DefElem" in node && node.DefElem.defname === "full");
    if (tables.length === 0) return unknown("scans every table");
    return locking(full ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE", tables);
  },
  ReindexStmt({ kind, relation, params = [] }, relations) {
    const concurrent = params.some((node) => "DefElem" in node && node.DefElem.defname === "concurrently");
    const name = nameOf(relation);
    const table = kind === "REINDEX_OBJECT_INDEX" ? relations.tableOf(name) : name;
    if (!table) return unknown(name ? unknownIndex(name) : "rebuilds the indexes of many tables");
    return locking(concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE", [table]);
  },
  CopyStmt: ({ relation, is_from }) => locking(is_from ? "ROW EXCLUSIVE" : "ACCESS SHARE", [nameOf(relation)]),
  InsertStmt: (statement, relations) => modifying({ InsertStmt: statement }, relations),
  UpdateStmt: (statement, relations) => modifying({ UpdateStmt: statement }, relations),
  DeleteStmt: (statement, relations) => modifying({ DeleteStmt: statement }, relations),
  MergeStmt: (statement, relations) => modifying({ MergeStmt: statement }, relations),
  SelectStmt(statement, relations) {
    const called = findAll(statement.targetList, "FuncCall").map(({ funcname }) => texts(funcname).join("."));
    const foreign = called.find((name) => !harmlessFunctions.has(name.replace(/^pg_catalog\./, "")));
    if (foreign !== undefined) return unknown(`calls ${foreign}(), which may lock any table`);
    return statement.intoClause
      ? creating(nameOf(statement.intoClause.rel))
      : modifying({ SelectStmt: statement }, relations);
  },
  DoStmt: () => unknown("runs code in a DO block"),
  CallStmt: () => unknown("runs code in a procedure"),
  ExecuteStmt: () => unknown("runs a prepared statement"),
  DropOwnedStmt: () => unknown("drops everything that a role owns"),
  AlterDomainStmt: ({ subtype }) =>
    // ADD CONSTRAINT, SET NOT NULL and VALIDATE read the tables (enum of AlterDomainStmt in nodes/parsenodes.h).
    "COV".includes(subtype ?? "") ? unknown("locks each table with a column of the domain") : noEffect,
};

/** Functions that lock no table. */
const harmlessFunctions: ReadonlySet<string> = new Set(["setval", "nextval", "set_config", "now", "count"]);

/** Statements that lock no existing table. */
const harmless: ReadonlySet<string> = new Set<Kind>([
  "AlterDatabaseSetStmt",
  "AlterDefaultPrivilegesStmt",
  "AlterEnumStmt",
  "AlterExtensionStmt",
  "AlterFunctionStmt",
  "AlterOwnerStmt",
  "AlterRoleSetStmt",
  "AlterRoleStmt",
  "AlterSeqStmt",
  "AlterStatsStmt",
  "AlterTypeStmt",
  "CompositeTypeStmt",
  "ConstraintsSetStmt",
  "CreateCastStmt",
  "CreateDomainStmt",
  "CreateEnumStmt",
  "CreateExtensionStmt",
  "CreateFunctionStmt",
  "CreateRangeStmt",
  "CreateRoleStmt",
  "CreateSchemaStmt",
  "CreateSeqStmt",
  "DefineStmt",
  "DropRoleStmt",
  "GrantRoleStmt",
  "GrantStmt",
  "NotifyStmt",
  "TransactionStmt",
  "VariableSetStmt",
  "VariableShowStmt",
]);

/**
 * Returns the effect of a statement.
 *
 * @param statement - The parser's node for the whole statement.
 * @param relations - Indexes and foreign keys before the statement.
 */
export function effectOf(statement: Node, relations: Relations): Effect {
  const [[kind, content]] = Object.entries(statement) as [[Kind, never]];
  const handle = handlers[kind] as ((content: never, relations: Relations) => Effect) | undefined;
  if (handle !== undefined) return handle(content, relations);
  return harmless.has(kind) ? noEffect : unknown(`unsupported statement ${kind.replace(/Stmt$/, "")}`);
}

function modifying(tree: Node, relations: Relations): Effect {
  const inserted = findAll(tree, "InsertStmt").map(({ relation }) => nameOf(relation));
  const kinds = ["UpdateStmt", "DeleteStmt", "MergeStmt"] as const;
  const changed = kinds.flatMap((kind): (RangeVar | undefined)[] =>
    findAll(tree, kind).map(({ relation }) => relation),
  );
  const recursive = changed.filter((relation) => relation?.inh).map(nameOf);
  const heirs = closure(recursive, (table) => relations.heirsOf(table));
  return locking("ROW EXCLUSIVE", [...inserted, ...changed.map(nameOf)], lockAll("ROW EXCLUSIVE", heirs));
}

function drop({ removeType, objects = [], behavior, concurrent }: NodeOf<"DropStmt">, relations: Relations): Effect {
  const parts = objects.map((node) => ("List" in node ? texts(node.List.items) : []));
  const names = parts.map((name) => name.join("."));
  if (partsOfTables.has(removeType)) {
    return locking(
      "ACCESS EXCLUSIVE",
      parts.map((name) => name.slice(0, -1).join(".")),
    );
  }
  if (removeType === "OBJECT_INDEX") {
    const missing = names.find((name) => relations.tableOf(name) === undefined);
    if (missing !== undefined) return unknown(unknownIndex(missing));
    const tables = names.flatMap((name) => relations.tableOf(name) ?? []);
    return locking(concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE", tables);
  }
  if (tableLike.has(removeType)) {
    const isCascade = behavior === "DROP_CASCADE";
    const dropped = isCascade
      ? closure(names, (name) => [...relations.heirsOf(name), ...relations.viewsOf(name)]).concat(names)
      : names;
    const others = dropped.flatMap((name) => [
      name,
      ...relations.referencedBy(name),
      ...relations.referencing(name),
      ...relations.partitionedBy(name),
    ]);
    return locking(
      "ACCESS EXCLUSIVE",
      names,
      lockAll(
        "ACCESS EXCLUSIVE",
        others.filter((name) => !names.includes(name)),
      ),
    );
  }
  if (removeType === "OBJECT_STATISTIC_EXT")
    return locking(
      "SHARE UPDATE EXCLUSIVE",
      names.flatMap((name) => relations.tablesOfStatistics(name)),
    );
  return behavior === "DROP_CASCADE" ? unknown("drops all dependent objects by CASCADE") : noEffect;
}
