import type { AlterTableCmd, AlterTableType } from "libpg-query";
import { type NodeOf, nameOf } from "../../../lockfile/sql-parser.ts";
import { type LockMode, stronger } from "../../../lockfile/statement-lock.ts";
import { closure, type Effect, lockAll, locking, noEffect, type TableLock } from "./effect.ts";
import { foreignKeysOf, type Relations } from "./relations.ts";

/**
 * Lock modes of the forms of ALTER TABLE that take less than ACCESS EXCLUSIVE: `AlterTableGetLockLevel` in
 * src/backend/commands/tablecmds.c, and https://www.postgresql.org/docs/current/sql-altertable.html.
 */
const modes: Partial<Record<AlterTableType, LockMode>> = {
  AT_SetStatistics: "SHARE UPDATE EXCLUSIVE",
  AT_SetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ResetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ClusterOn: "SHARE UPDATE EXCLUSIVE",
  AT_DropCluster: "SHARE UPDATE EXCLUSIVE",
  AT_ValidateConstraint: "SHARE UPDATE EXCLUSIVE",
  AT_AttachPartition: "SHARE UPDATE EXCLUSIVE",
  AT_DetachPartitionFinalize: "SHARE UPDATE EXCLUSIVE",
  AT_EnableTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableAlwaysTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableReplicaTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableTrigAll: "SHARE ROW EXCLUSIVE",
  AT_EnableTrigUser: "SHARE ROW EXCLUSIVE",
  AT_DisableTrig: "SHARE ROW EXCLUSIVE",
  AT_DisableTrigAll: "SHARE ROW EXCLUSIVE",
  AT_DisableTrigUser: "SHARE ROW EXCLUSIVE",
};

/** Forms that change inheriting tables, too: `ATPrepCmd` in src/backend/commands/tablecmds.c. */
const recursing: ReadonlySet<AlterTableType> = new Set<AlterTableType>([
  "AT_AddColumn",
  "AT_AddConstraint",
  "AT_AlterColumnType",
  "AT_ColumnDefault",
  "AT_DropColumn",
  "AT_DropConstraint",
  "AT_DropExpression",
  "AT_DropNotNull",
  "AT_SetCompression",
  "AT_SetNotNull",
  "AT_SetStatistics",
  "AT_SetStorage",
  "AT_ValidateConstraint",
]);

/** Storage parameters that change query results; the others take SHARE UPDATE EXCLUSIVE (access/common/reloptions.c). */
const exclusiveOptions: ReadonlySet<string> = new Set(["user_catalog_table", "security_barrier", "check_option"]);

/** Returns the effect of an ALTER TABLE: the lock of its strictest form, and those on tables that the forms involve. */
export function alterTable({ relation, cmds = [], objtype }: NodeOf<"AlterTableStmt">, relations: Relations): Effect {
  // Composite types and sequences are not tables, and a change of an index locks only the index.
  if (objtype === "OBJECT_TYPE" || objtype === "OBJECT_SEQUENCE" || objtype === "OBJECT_INDEX") return noEffect;
  const table = nameOf(relation);
  const forms = cmds.flatMap((node) => ("AlterTableCmd" in node ? node.AlterTableCmd : []));
  const mode = forms.map(modeOf).reduce(stronger, "ACCESS SHARE");
  const recursive = relation?.inh ? forms.filter(recurses) : [];
  const heirs = recursive.length > 0 ? closure([table], (name) => relations.heirsOf(name)) : [];
  const others = forms.flatMap((form) => involved(table, form, relations));
  return locking(mode, [table], [...lockAll(mode, heirs), ...others]);
}

/** Whether a form changes inheriting tables, too: they don't inherit keys. */
function recurses({ subtype, def }: AlterTableCmd): boolean {
  const kind = def !== undefined && "Constraint" in def ? def.Constraint.contype : "CONSTR_CHECK";
  return subtype !== undefined && recursing.has(subtype) && (kind === "CONSTR_CHECK" || kind === "CONSTR_NOTNULL");
}

/** Returns the reason why the locks of a statement on an index are unknown. */
export function unknownIndex(index: string): string {
  return `locks the table of index ${index}, which no earlier statement creates`;
}

function modeOf({ subtype = "AT_AddColumn", def }: AlterTableCmd): LockMode {
  if (def !== undefined && "PartitionCmd" in def && def.PartitionCmd.concurrent) return "SHARE UPDATE EXCLUSIVE";
  if (def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_FOREIGN")
    return "SHARE ROW EXCLUSIVE";
  if (subtype === "AT_SetRelOptions" || subtype === "AT_ResetRelOptions") {
    const names = def !== undefined && "List" in def ? (def.List.items ?? []) : [];
    const strict = names.some((node) => "DefElem" in node && exclusiveOptions.has(node.DefElem.defname ?? ""));
    return strict ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE";
  }
  return modes[subtype] ?? "ACCESS EXCLUSIVE";
}

/** Returns locks on other tables: of added, dropped, or rebuilt foreign keys, of partitions, of parents. */
function involved(table: string, form: AlterTableCmd, relations: Relations): TableLock[] {
  const { subtype, name, def, behavior } = form;
  const added = def === undefined ? [] : foreignKeysOf(table, def).map(({ references }) => references);
  const locks = lockAll("SHARE ROW EXCLUSIVE", added);
  switch (subtype) {
    case "AT_DropConstraint":
      // CASCADE is used only for a key that other tables reference.
      return lockAll("ACCESS EXCLUSIVE", [
        ...relations.referencedBy(table, { constraint: name }),
        ...(behavior === "DROP_CASCADE" ? relations.referencing(table) : []),
      ]);
    case "AT_DropColumn":
    case "AT_AlterColumnType":
      return lockAll("ACCESS EXCLUSIVE", [
        ...relations.referencedBy(table, { column: name }),
        ...relations.referencing(table, name),
      ]);
    case "AT_AttachPartition":
    case "AT_DetachPartition":
      return def !== undefined && "PartitionCmd" in def
        ? lockAll("ACCESS EXCLUSIVE", [nameOf(def.PartitionCmd.name)])
        : locks;
    case "AT_AddInherit":
      return def !== undefined && "RangeVar" in def ? lockAll("SHARE UPDATE EXCLUSIVE", [nameOf(def.RangeVar)]) : locks;
    default:
      return locks;
  }
}
