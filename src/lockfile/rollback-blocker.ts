import type { Node } from "libpg-query";
import { entryBytes, entryLimit } from "./index-entry.ts";
import { findAll, type Kind, type NodeOf, nameOf, relationsOf, texts } from "./sql-parser.ts";

/** The schema before a statement of an upgrade. */
export interface SchemaBefore {
  /** Tables that the same upgrade has created, which no earlier code uses. */
  readonly created: ReadonlySet<string>;
  /** Columns that the same upgrade has added to other tables, as `table.column`. No earlier code fills them. */
  readonly added: ReadonlySet<string>;
  /** Returns the type of a column, such as `varchar(20)`, or `enum`; `undefined` if it is unknown. */
  typeOf(table: string, column: string): string | undefined;
}

type Handlers = { readonly [K in Kind]?: (statement: NodeOf<K>, before: SchemaBefore) => string | null };

/** Statements that add an object that earlier code doesn't know, or that change nothing that it reads or writes. */
const additive: ReadonlySet<string> = new Set<Kind>([
  "ClusterStmt",
  "CommentStmt",
  "CompositeTypeStmt",
  "CreateEnumStmt",
  "CreateExtensionStmt",
  "CreateRangeStmt",
  "CreateSchemaStmt",
  "CreateSeqStmt",
  "CreateStatsStmt",
  "LockStmt",
  "ReindexStmt",
  "TransactionStmt",
  "VacuumStmt",
  "VariableShowStmt",
]);

/** Parts of ALTER TABLE that change nothing that earlier code reads or writes. New rows obey a NOT VALID constraint already. */
const additiveParts: ReadonlySet<string | undefined> = new Set([
  "AT_ClusterOn",
  "AT_DropCluster",
  "AT_ResetRelOptions",
  "AT_SetCompression",
  "AT_SetRelOptions",
  "AT_SetStatistics",
  "AT_SetStorage",
  "AT_ValidateConstraint",
]);

/** Functions that change no table, and that reject no value: a statement may call them. */
const harmlessFunctions: ReadonlySet<string> = new Set([
  "count",
  "gen_random_uuid",
  "generate_series",
  "lower",
  "now",
  "pg_advisory_lock",
  "pg_advisory_unlock",
  "pg_advisory_xact_lock",
  "upper",
]);

/** Operators that reject values, such as a division by zero or a number that is too large. */
const rejectingOperators: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%", "^"]);

const changesRows = "changes rows of an existing table";
const replaces = "replaces what earlier code may use";
const unknown = "is not known to be additive";

const handlers: Handlers = {
  AlterTableStmt({ relation, cmds = [], objtype }, { created }) {
    if (created.has(nameOf(relation))) return firstOf(cmds, ofOwnPart);
    if (objtype !== "OBJECT_TABLE") return unknown;
    return firstOf(cmds, (node) => ("AlterTableCmd" in node ? ofPart(node.AlterTableCmd) : unknown));
  },
  CreateDomainStmt: ({ constraints = [] }) => (constraints.length > 0 ? "adds a domain with constraints" : null),
  CreatePolicyStmt: ({ table }, { created }) => (created.has(nameOf(table)) ? null : unknown),
  CreateStmt({ inhRelations, relation }, { created }) {
    if (relation?.relpersistence === "t") return "creates a temporary table, which hides another one of its name";
    const parents = relationsOf(inhRelations);
    return parents.every((name) => created.has(name)) ? null : "adds a partition or a child of an existing table";
  },
  CreateTableAsStmt: ({ query, into }) => {
    if (into?.rel?.relpersistence === "t") return "creates a temporary table, which hides another one of its name";
    return hasEffects(query) ? changesRows : null;
  },
  CreateTrigStmt: ({ relation }, { created }) => (created.has(nameOf(relation)) ? null : unknown),
  DeleteStmt: modifying,
  DropStmt({ removeType, objects = [] }, { created }) {
    const names = objects.map((node) => ("List" in node ? texts(node.List.items).join(".") : ""));
    const own = removeType === "OBJECT_TABLE" && names.every((name) => created.has(name));
    return own ? null : "drops what earlier code may use";
  },
  GrantStmt: ({ is_grant }) => (is_grant ? null : "revokes privileges that earlier code may use"),
  IndexStmt(statement, { created, added, typeOf }) {
    const { unique, relation, indexParams, whereClause } = statement;
    const table = nameOf(relation);
    if (created.has(table)) return null;
    if (unique) return "adds a unique index, which may reject rows of earlier code";
    if (mayReject([indexParams, whereClause])) return "adds an index on an expression, which may reject rows";
    const untyped: string[] = [];
    const bytes = entryBytes(statement, (column) => {
      const type = added.has(`${table}.${column}`) ? "bool" : typeOf(table, column);
      if (type === undefined) untyped.push(column);
      return type;
    });
    if (bytes <= entryLimit) return null;
    const reason = untyped.length > 0 ? `the type of ${untyped.join(", ")} is not known, and ` : "";
    return `adds an index: ${reason}its entries are limited to 2704 bytes`;
  },
  InsertStmt: modifying,
  RenameStmt: ({ relation }, { created }) =>
    created.has(nameOf(relation)) ? null : "renames what earlier code may use",
  SelectStmt(statement) {
    return statement.intoClause !== undefined || hasEffects(statement) ? unknown : null;
  },
  UpdateStmt: modifying,
  VariableSetStmt: ({ name }) =>
    name === "search_path" ? "changes the search path, so that other tables may have the same names" : null,
  ViewStmt: ({ replace }) => (replace ? replaces : null),
};

/**
 * Returns why code of an earlier revision may fail on the schema after a statement of an upgrade.
 *
 * A statement that only adds keeps it working: tables, columns that it needn't fill, indexes that reject no row, not even
 * one with long values. What isn't known to be additive doesn't. A foreign key of a new table counts as additive, although
 * it may reject a delete in the table that it references, once later code has written rows.
 *
 * @returns `null` if the code keeps working.
 */
export function rollbackBlocker(statement: Node, before: SchemaBefore): string | null {
  const [[kind, content]] = Object.entries(statement) as [[Kind, never]];
  const handle = handlers[kind] as ((content: never, before: SchemaBefore) => string | null) | undefined;
  if (handle !== undefined) return handle(content, before);
  return additive.has(kind) ? null : unknown;
}

/** Statements that change the schema and no rows, as far as they don't remove any. */
const schemaStatements: ReadonlySet<string> = new Set<Kind>([
  ...["AlterDomainStmt", "AlterEnumStmt", "AlterEventTrigStmt", "AlterFunctionStmt", "AlterPolicyStmt", "AlterSeqStmt"],
  ...[
    "AlterStatsStmt",
    "CommentStmt",
    "CompositeTypeStmt",
    "CreateDomainStmt",
    "CreateEnumStmt",
    "CreateEventTrigStmt",
  ],
  ...["CreateExtensionStmt", "CreateFunctionStmt", "CreatePolicyStmt", "CreateRangeStmt", "CreateSchemaStmt"],
  ...["CreateSeqStmt", "CreateStatsStmt", "CreateTrigStmt", "GrantStmt", "IndexStmt", "RuleStmt", "ViewStmt"],
] as Kind[]);

/** Parts of ALTER TABLE that may remove or change values, or the rows of which a table consists. */
const rowParts: ReadonlySet<string | undefined> = new Set([
  ...[
    "AT_AddInherit",
    "AT_AlterColumnType",
    "AT_AttachPartition",
    "AT_DetachPartition",
    "AT_DropColumn",
    "AT_DropInherit",
  ],
]);

/** Whether the schemas before and after a statement show all that it does to earlier code. */
export function isShownBySchema(statement: Node): boolean {
  const [[kind]] = Object.entries(statement) as [[string, unknown]];
  if ("AlterTableStmt" in statement) {
    const parts = statement.AlterTableStmt.cmds ?? [];
    return parts.every((part) => "AlterTableCmd" in part && !rowParts.has(part.AlterTableCmd.subtype));
  }
  if ("CreateStmt" in statement) return statement.CreateStmt.relation?.relpersistence !== "t";
  if ("DropStmt" in statement) return statement.DropStmt.removeType !== "OBJECT_TABLE";
  if ("RenameStmt" in statement)
    return statement.RenameStmt.renameType !== "OBJECT_TABLE" && statement.RenameStmt.renameType !== "OBJECT_COLUMN";
  return schemaStatements.has(kind);
}

function modifying(
  statement: NodeOf<"InsertStmt"> | NodeOf<"UpdateStmt"> | NodeOf<"DeleteStmt">,
  { created }: SchemaBefore,
): string | null {
  return created.has(nameOf(statement.relation)) && !hasEffects(statement) ? null : changesRows;
}

/** Whether a part of a statement may change tables: a function, or a statement in WITH. */
function hasEffects(tree: unknown): boolean {
  const changing = ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"] as const;
  return callsOthers(tree) || changing.some((kind) => findAll(tree, kind).length > 0);
}

function callsOthers(tree: unknown): boolean {
  return findAll(tree, "FuncCall").some(({ funcname }) => !harmlessFunctions.has(texts(funcname).at(-1) ?? ""));
}

/** Whether the evaluation of an expression may fail for some rows. */
function mayReject(tree: unknown): boolean {
  const operators = findAll(tree, "A_Expr").flatMap(({ name }) => texts(name));
  const casts = findAll(tree, "TypeCast").filter(({ arg }) => arg === undefined || !("A_Const" in arg));
  return callsOthers(tree) || casts.length > 0 || operators.some((operator) => rejectingOperators.has(operator));
}

/** A created table that becomes part of an existing one, or the reverse, changes what that contains. */
function ofOwnPart(node: Node): string | null {
  const subtype = "AlterTableCmd" in node ? node.AlterTableCmd.subtype : undefined;
  const joins = subtype === "AT_AttachPartition" || subtype === "AT_AddInherit";
  return joins ? "joins a table with an existing one" : null;
}

function ofPart({ subtype, def }: NodeOf<"AlterTableCmd">): string | null {
  if (additiveParts.has(subtype)) return null;
  if (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def) return ofColumn(def.ColumnDef);
  if (subtype === "AT_AddConstraint") return "adds a constraint, which may reject rows of earlier code";
  return "changes what earlier code may use";
}

/** Earlier code inserts rows without the column. */
function ofColumn({ constraints = [], typeName }: NodeOf<"ColumnDef">): string | null {
  const kinds = constraints.map((node) => ("Constraint" in node ? node.Constraint.contype : undefined));
  const isSerial = /^(small|big)?serial\d?$/.test(texts(typeName?.names).at(-1) ?? "");
  const hasDefault = constraints.some((node) => "Constraint" in node && isDefault(node.Constraint));
  const hasValue = isSerial || hasDefault || kinds.includes("CONSTR_IDENTITY");
  if (findAll(constraints, "Constraint").some(({ nulls_not_distinct }) => nulls_not_distinct))
    return "adds a column with a constraint";
  return firstOf(kinds, (kind) => {
    switch (kind) {
      case "CONSTR_NULL":
      case "CONSTR_DEFAULT":
      case "CONSTR_IDENTITY":
        return null;
      case "CONSTR_NOTNULL":
        return hasValue ? null : "adds a required column";
      case "CONSTR_FOREIGN":
      case "CONSTR_UNIQUE":
        return hasValue ? "adds a column with a default that a constraint may reject" : null;
      case "CONSTR_ATTR_DEFERRABLE":
      case "CONSTR_ATTR_NOT_DEFERRABLE":
      case "CONSTR_ATTR_DEFERRED":
      case "CONSTR_ATTR_IMMEDIATE":
        return null;
      default:
        return "adds a column with a constraint";
    }
  });
}

/** Whether a constraint is a default other than NULL. */
function isDefault({ contype, raw_expr }: NodeOf<"Constraint">): boolean {
  if (contype !== "CONSTR_DEFAULT" || raw_expr === undefined) return false;
  return !findAll(raw_expr, "A_Const").some(({ isnull }) => isnull);
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}
