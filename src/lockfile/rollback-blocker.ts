import type { Node } from "libpg-query";
import { findAll, type Kind, type NodeOf, nameOf, relationsOf, texts } from "./sql-parser.ts";

type Tables = ReadonlySet<string>;
type Handlers = { readonly [K in Kind]?: (statement: NodeOf<K>, created: Tables) => string | null };

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
  "CreateTableAsStmt",
  "LockStmt",
  "ReindexStmt",
  "TransactionStmt",
  "VacuumStmt",
  "VariableSetStmt",
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

const changesRows = "changes rows of an existing table";
const replaces = "replaces what earlier code may use";
const unknown = "is not known to be additive";

const handlers: Handlers = {
  AlterTableStmt({ relation, cmds = [], objtype }, created) {
    if (created.has(nameOf(relation))) return null;
    if (objtype !== "OBJECT_TABLE") return unknown;
    return firstOf(cmds, (node) => ("AlterTableCmd" in node ? ofPart(node.AlterTableCmd) : unknown));
  },
  CreateDomainStmt: ({ constraints = [] }) => (constraints.length > 0 ? "adds a domain with constraints" : null),
  CreatePolicyStmt: ({ table }, created) => (created.has(nameOf(table)) ? null : unknown),
  CreateStmt({ inhRelations }, created) {
    const parents = relationsOf(inhRelations);
    return parents.every((name) => created.has(name)) ? null : "adds a partition or a child of an existing table";
  },
  CreateTrigStmt: ({ relation }, created) => (created.has(nameOf(relation)) ? null : unknown),
  DeleteStmt: modifying,
  DropStmt({ removeType, objects = [] }, created) {
    const names = objects.map((node) => ("List" in node ? texts(node.List.items).join(".") : ""));
    const own = removeType === "OBJECT_TABLE" && names.every((name) => created.has(name));
    return own ? null : "drops what earlier code may use";
  },
  GrantStmt: ({ is_grant }) => (is_grant ? null : "revokes privileges that earlier code may use"),
  IndexStmt({ unique, relation }, created) {
    return unique && !created.has(nameOf(relation))
      ? "adds a unique index, which may reject rows of earlier code"
      : null;
  },
  InsertStmt: modifying,
  RenameStmt: ({ relation }, created) => (created.has(nameOf(relation)) ? null : "renames what earlier code may use"),
  SelectStmt(statement) {
    const harmful = [statement.withClause, statement.intoClause].some((clause) => clause !== undefined);
    return harmful || findAll(statement, "FuncCall").length > 0 ? unknown : null;
  },
  UpdateStmt: modifying,
  ViewStmt: ({ replace }) => (replace ? replaces : null),
};

/**
 * Returns why code of an earlier revision may fail on the schema after a statement of an upgrade.
 *
 * A statement that only adds keeps it working: tables, columns that it needn't fill, indexes that reject no row. What isn't
 * known to be additive doesn't. A foreign key of a new table counts as additive, although it may reject a delete in the
 * table that it references, once later code has written rows.
 *
 * @param created - Tables that the same upgrade has created before, which no earlier code uses.
 * @returns `null` if the code keeps working.
 */
export function rollbackBlocker(statement: Node, created: Tables): string | null {
  const [[kind, content]] = Object.entries(statement) as [[Kind, never]];
  const handle = handlers[kind] as ((content: never, created: Tables) => string | null) | undefined;
  if (handle !== undefined) return handle(content, created);
  return additive.has(kind) ? null : unknown;
}

/** Statements in WITH may change other tables. */
function modifying(
  { relation, withClause }: NodeOf<"InsertStmt"> | NodeOf<"UpdateStmt"> | NodeOf<"DeleteStmt">,
  created: Tables,
): string | null {
  return withClause === undefined && created.has(nameOf(relation)) ? null : changesRows;
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
  const hasValue = isSerial || kinds.includes("CONSTR_DEFAULT") || kinds.includes("CONSTR_IDENTITY");
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

function firstOf<T>(items: readonly T[], find: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}
