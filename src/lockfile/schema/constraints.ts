import type { ColumnDef, Constraint, TypeName } from "libpg-query";
import { nameOf, texts } from "../sql-parser.ts";
import type { Draft, TableDraft } from "./draft.ts";

/** The types of columns with pseudo-types. */
const serials: Readonly<Record<string, string>> = {
  smallserial: "int2",
  serial2: "int2",
  serial: "int4",
  serial4: "int4",
  bigserial: "int8",
  serial8: "int8",
};

/** Returns the `pg_type.typname` of a type, with its length or precision, such as `varchar(20)`. */
export function typeOf({ names, arrayBounds = [], typmods = [] }: TypeName): string {
  const name = texts(names).at(-1) ?? "";
  const numbers = typmods.flatMap((node) => ("A_Const" in node ? (node.A_Const.ival?.ival ?? 0) : []));
  const modifier = numbers.length > 0 ? `(${numbers.join(",")})` : "";
  return `${arrayBounds.length > 0 ? "_" : ""}${serials[name] ?? name}${modifier}`;
}

/** Adds a column with its own constraints. */
export function addColumn(draft: Draft, tableName: string, table: TableDraft, column: ColumnDef): void {
  const { colname = "", typeName, constraints = [] } = column;
  if (typeName !== undefined) table.columns.set(colname, typeOf(typeName));
  for (const node of constraints)
    if ("Constraint" in node) addConstraint(draft, tableName, table, node.Constraint, [colname]);
}

/**
 * Adds a constraint with the foreign key or index that it creates. An index whose name PostgreSQL generates is omitted.
 *
 * @param own - The column of a column constraint.
 */
export function addConstraint(
  { notValid }: Draft,
  tableName: string,
  table: TableDraft,
  constraint: Constraint,
  own: readonly string[] = [],
): void {
  const { contype, conname, keys, fk_attrs, pktable, fk_del_action = "a", skip_validation } = constraint;
  if (conname !== undefined && skip_validation) notValid.add(`${tableName}.${conname}`);
  if (contype === "CONSTR_FOREIGN") {
    const columns = fk_attrs === undefined ? own : texts(fk_attrs);
    const name = conname ?? `${tableName}_${columns.join("_")}_fkey`;
    table.foreignKeys.set(name, { name, columns, references: nameOf(pktable), onDelete: fk_del_action });
  }
  const hasIndex = contype === "CONSTR_PRIMARY" || contype === "CONSTR_UNIQUE";
  if (hasIndex && conname !== undefined && constraint.indexname === undefined)
    table.indexes.set(conname, keys === undefined ? own : texts(keys));
  if (contype === "CONSTR_PRIMARY") {
    const indexed = table.indexes.get(constraint.indexname ?? "")?.filter((part) => part !== null);
    const columns = indexed ?? (keys === undefined ? own : texts(keys));
    table.primaryKey.set(conname ?? `${tableName.slice(tableName.lastIndexOf(".") + 1)}_pkey`, columns);
  }
}

/** Drops a constraint with its index. */
export function dropConstraint({ notValid }: Draft, tableName: string, table: TableDraft, name: string): void {
  table.foreignKeys.delete(name);
  table.indexes.delete(name);
  table.primaryKey.delete(name);
  notValid.delete(`${tableName}.${name}`);
}
