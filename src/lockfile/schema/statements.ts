import type { Node } from "libpg-query";
import { type Kind, type NodeOf, nameOf, type SqlSyntaxError, texts } from "../sql-parser.ts";
import { addColumn, addConstraint, dropConstraint, typeOf } from "./constraints.ts";
import {
  type Draft,
  dropColumn,
  dropTable,
  emptyTable,
  forgetNamed,
  renameColumn,
  renameTable,
  type TableDraft,
} from "./draft.ts";

/** Statements that don't change columns, keys, or indexes. */
const harmless: ReadonlySet<string> = new Set<Kind>([
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "SelectStmt",
  "TruncateStmt",
  "CommentStmt",
  "CreateSeqStmt",
  "AlterSeqStmt",
  "AlterEnumStmt",
  "CreateExtensionStmt",
  "CreateFunctionStmt",
  "CreateTrigStmt",
  "CreateSchemaStmt",
  "GrantStmt",
  "LockStmt",
  "TransactionStmt",
  "VariableSetStmt",
  "VacuumStmt",
  "ViewStmt",
]);

/** Parts of ALTER TABLE that don't change them either. */
const harmlessParts: ReadonlySet<string | undefined> = new Set([
  "AT_ColumnDefault",
  "AT_SetNotNull",
  "AT_DropNotNull",
  "AT_AddIdentity",
  "AT_SetIdentity",
  "AT_DropIdentity",
  "AT_SetStatistics",
  "AT_SetStorage",
  "AT_ClusterOn",
  "AT_SetRelOptions",
  "AT_ResetRelOptions",
  "AT_EnableTrig",
  "AT_DisableTrig",
  "AT_EnableRowSecurity",
  "AT_DisableRowSecurity",
  "AT_ChangeOwner",
]);

/** Applies the statements of a text to a draft. */
export function followAll(draft: Draft, statements: readonly Node[] | SqlSyntaxError, sql: string): void {
  if ("error" in statements) draft.tables.clear();
  else for (const statement of statements) follow(draft, statement, sql);
}

/** Applies a statement to a draft. Removes the tables that it may have changed in an unknown way. */
function follow(draft: Draft, statement: Node, sql: string): void {
  if ("CreateStmt" in statement) create(draft, statement.CreateStmt);
  else if ("AlterTableStmt" in statement) alter(draft, statement.AlterTableStmt);
  else if ("IndexStmt" in statement) index(draft, statement.IndexStmt);
  else if ("DropStmt" in statement) drop(draft, statement.DropStmt);
  else if ("RenameStmt" in statement) rename(draft, statement.RenameStmt, sql);
  else if ("CreateEnumStmt" in statement) draft.enums.add(texts(statement.CreateEnumStmt.typeName).at(-1) ?? "");
  else if (!Object.keys(statement).every((kind) => harmless.has(kind))) forgetNamed(draft, sql);
}

function rename(draft: Draft, { renameType, relation, subname = "", newname = "" }: NodeOf<"RenameStmt">, sql: string) {
  const { tables } = draft;
  const name = nameOf(relation);
  if (renameType === "OBJECT_TABLE") {
    renameTable(draft, name, relation?.schemaname ? `${relation.schemaname}.${newname}` : newname);
  } else if (renameType === "OBJECT_COLUMN") {
    const table = tables.get(name);
    if (table !== undefined) renameColumn(table, subname, newname);
  } else if (renameType === "OBJECT_INDEX") {
    for (const [table, { indexes }] of tables) if (indexes.has(name)) tables.delete(table);
  } else forgetNamed(draft, sql);
}

function create(draft: Draft, { relation, tableElts = [], if_not_exists }: NodeOf<"CreateStmt">): void {
  const name = nameOf(relation);
  if (if_not_exists && draft.tables.has(name)) return;
  const table = emptyTable();
  draft.tables.set(name, table);
  for (const element of tableElts) {
    if ("ColumnDef" in element) addColumn(draft, name, table, element.ColumnDef);
    if ("Constraint" in element) addConstraint(draft, name, table, element.Constraint);
  }
}

function alter(draft: Draft, { relation, cmds = [] }: NodeOf<"AlterTableStmt">): void {
  const name = nameOf(relation);
  for (const part of cmds) {
    const table = draft.tables.get(name);
    if (table === undefined || !("AlterTableCmd" in part)) continue;
    if (!alterPart(draft, name, table, part.AlterTableCmd)) draft.tables.delete(name);
  }
}

/** Applies a part of ALTER TABLE. Returns whether its kind is known. */
function alterPart(draft: Draft, tableName: string, table: TableDraft, part: NodeOf<"AlterTableCmd">): boolean {
  const { subtype, name = "", def } = part;
  if (subtype === "AT_AddColumn" && def && "ColumnDef" in def) addColumn(draft, tableName, table, def.ColumnDef);
  else if (subtype === "AT_DropColumn") dropColumn(table, name);
  else if (subtype === "AT_AlterColumnType" && def && "ColumnDef" in def) {
    if (def.ColumnDef.typeName !== undefined) table.columns.set(name, typeOf(def.ColumnDef.typeName));
  } else if (subtype === "AT_AddConstraint" && def && "Constraint" in def) {
    addConstraint(draft, tableName, table, def.Constraint);
  } else if (subtype === "AT_DropConstraint") dropConstraint(draft, tableName, table, name);
  else if (subtype === "AT_ValidateConstraint") draft.notValid.delete(`${tableName}.${name}`);
  else return harmlessParts.has(subtype);
  return true;
}

function index({ tables }: Draft, { idxname, relation, indexParams = [] }: NodeOf<"IndexStmt">): void {
  if (idxname === undefined) return;
  const columns = indexParams.map((node) => ("IndexElem" in node ? (node.IndexElem.name ?? null) : null));
  tables.get(nameOf(relation))?.indexes.set(idxname, columns);
}

function drop(draft: Draft, { removeType, objects = [], behavior }: NodeOf<"DropStmt">): void {
  for (const node of objects) {
    if (!("List" in node)) continue;
    const parts = texts(node.List.items);
    if (removeType === "OBJECT_TABLE") dropTable(draft, parts.join("."));
    else if (removeType === "OBJECT_INDEX") {
      for (const { indexes } of draft.tables.values()) indexes.delete(parts.at(-1) ?? "");
    } else if (behavior === "DROP_CASCADE") draft.tables.clear();
  }
}
