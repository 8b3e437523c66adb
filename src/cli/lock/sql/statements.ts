import type { Node, ObjectType } from "libpg-query";
import { findAll, type Kind, type NodeOf, nameOf, relationsOf, texts } from "../../../lockfile/sql-parser.ts";
import { lockModes } from "../../../lockfile/statement-lock.ts";
import { alterTable, unknownIndex } from "./alter-table.ts";
import { creating, type Effect, lockAll, locking, noEffect, unknown } from "./effect.ts";
import { foreignKeysOf, type Relations } from "./relations.ts";

type Handlers = { readonly [K in Kind]?: (statement: NodeOf<K>, relations: Relations) => Effect };

/** Objects that are dropped like tables. */
const tableLike: ReadonlySet<ObjectType | undefined> = new Set<ObjectType>([
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_FOREIGN_TABLE",
]);

/** Objects that belong to one table: the last part of the name is theirs. */
const partsOfTables: ReadonlySet<ObjectType | undefined> = new Set<ObjectType>([
  "OBJECT_TRIGGER",
  "OBJECT_RULE",
  "OBJECT_POLICY",
]);

/**
 * Locks by kind of statement (https://www.postgresql.org/docs/current/explicit-locking.html and each command's page).
 * A partitioned table stands for its partitions. tests/cli/statement-locks.test.ts compares this with `pg_locks`.
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
  RenameStmt({ renameType, relation, newname }) {
    // An index is renamed without a lock on its table.
    if (renameType === "OBJECT_INDEX" || relation === undefined) return noEffect;
    const effect = locking("ACCESS EXCLUSIVE", [nameOf(relation)]);
    const renames = { from: nameOf(relation), to: nameOf({ ...relation, relname: newname }) };
    return renameType === "OBJECT_TABLE" ? { ...effect, renames } : effect;
  },
  AlterObjectSchemaStmt: ({ relation }) => (relation ? locking("ACCESS EXCLUSIVE", [nameOf(relation)]) : noEffect),
  DropStmt: drop,
  TruncateStmt({ relations: nodes, behavior }, relations) {
    const tables = relationsOf(nodes);
    const cascaded = behavior === "DROP_CASCADE" ? closure(tables, (table) => relations.referencing(table)) : [];
    return locking("ACCESS EXCLUSIVE", tables, lockAll("ACCESS EXCLUSIVE", cascaded));
  },
  LockStmt: ({ relations, mode = lockModes.length }) =>
    locking(lockModes[mode - 1] ?? "ACCESS EXCLUSIVE", relationsOf(relations)),
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
    relation ? locking("ACCESS EXCLUSIVE", [nameOf(relation)]) : unknown("it rewrites every clustered table"),
  VacuumStmt({ rels, options = [], is_vacuumcmd }) {
    const tables = findAll(rels, "VacuumRelation").map(({ relation }) => nameOf(relation));
    const full = is_vacuumcmd && options.some((node) => "DefElem" in node && node.DefElem.defname === "full");
    if (tables.length === 0) return unknown("it goes through every table");
    return locking(full ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE", tables);
  },
  ReindexStmt({ kind, relation, params = [] }, relations) {
    const concurrent = params.some((node) => "DefElem" in node && node.DefElem.defname === "concurrently");
    const name = nameOf(relation);
    const table = kind === "REINDEX_OBJECT_INDEX" ? relations.tableOf(name) : name;
    if (!table) return unknown(name ? unknownIndex(name) : "it rebuilds the indexes of many tables");
    return locking(concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE", [table]);
  },
  CopyStmt: ({ relation, is_from }) => locking(is_from ? "ROW EXCLUSIVE" : "ACCESS SHARE", [nameOf(relation)]),
  InsertStmt: (statement) => modifying({ InsertStmt: statement }),
  UpdateStmt: (statement) => modifying({ UpdateStmt: statement }),
  DeleteStmt: (statement) => modifying({ DeleteStmt: statement }),
  MergeStmt: (statement) => modifying({ MergeStmt: statement }),
  SelectStmt(statement) {
    const called = findAll(statement.targetList, "FuncCall").map(({ funcname }) => texts(funcname).join("."));
    const foreign = called.find((name) => !harmlessFunctions.has(name.replace(/^pg_catalog\./, "")));
    if (foreign !== undefined) return unknown(`it calls ${foreign}(), which may do anything`);
    return statement.intoClause ? creating(nameOf(statement.intoClause.rel)) : modifying({ SelectStmt: statement });
  },
  DoStmt: () => unknown("a DO block runs code"),
  CallStmt: () => unknown("a procedure runs code"),
  ExecuteStmt: () => unknown("it runs a prepared statement"),
  DropOwnedStmt: () => unknown("it drops all that a role owns"),
  AlterDomainStmt: ({ subtype }) =>
    // ADD CONSTRAINT, SET NOT NULL and VALIDATE read the tables (enum of AlterDomainStmt in nodes/parsenodes.h).
    "COV".includes(subtype ?? "") ? unknown("it locks each table that has a column of the domain") : noEffect,
};

/** Functions that migrations call for their effect, and that lock no table. */
const harmlessFunctions: ReadonlySet<string> = new Set(["setval", "nextval", "set_config", "now", "count"]);

/** Statements that lock no table which is there before. */
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
 * @param statement A node that the parser gives for a whole statement.
 * @param relations What the statements before it left.
 */
export function effectOf(statement: Node, relations: Relations): Effect {
  const [[kind, content]] = Object.entries(statement) as [[Kind, never]];
  const handle = handlers[kind] as ((content: never, relations: Relations) => Effect) | undefined;
  if (handle !== undefined) return handle(content, relations);
  return harmless.has(kind) ? noEffect : unknown(`what ${kind.replace(/Stmt$/, "")} locks is not recorded here`);
}

function modifying(tree: Node): Effect {
  const kinds = ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"] as const;
  const tables = kinds.flatMap((kind) => findAll(tree, kind).map(({ relation }) => nameOf(relation)));
  return locking("ROW EXCLUSIVE", tables);
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
    const others = names.flatMap((name) => [...relations.referencedBy(name), ...relations.referencing(name)]);
    return locking(
      "ACCESS EXCLUSIVE",
      names,
      lockAll(
        "ACCESS EXCLUSIVE",
        others.filter((name) => !names.includes(name)),
      ),
    );
  }
  return behavior === "DROP_CASCADE" ? unknown("CASCADE drops whatever depends on it") : noEffect;
}

/** @returns What `next` leads to from `start`, step by step, without `start`. */
function closure(start: readonly string[], next: (name: string) => readonly string[]): string[] {
  const found = new Set(start);
  for (const name of found) for (const other of next(name)) found.add(other);
  return [...found].filter((name) => !start.includes(name));
}
