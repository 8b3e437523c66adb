import type { ForeignKey } from "./schema.ts";

/** A table during the computation. */
export interface TableDraft {
  /** Types with their length or precision, by the columns' names. */
  readonly columns: Map<string, string>;
  /** By name. */
  readonly foreignKeys: Map<string, ForeignKey>;
  /** Columns of the primary key by its name; at most one. */
  readonly primaryKey: Map<string, readonly string[]>;
  readonly indexes: Map<string, readonly (string | null)[]>;
}

/** The schema that the statements so far created for certain. */
export interface Draft {
  readonly tables: Map<string, TableDraft>;
  /** Constraints that were added NOT VALID and not validated since, as `table.constraint`. */
  readonly notValid: Set<string>;
  /** Enumerations. */
  readonly enums: Set<string>;
}

export function emptyDraft(): Draft {
  return { tables: new Map(), notValid: new Set(), enums: new Set() };
}

export function emptyTable(): TableDraft {
  return { columns: new Map(), foreignKeys: new Map(), primaryKey: new Map(), indexes: new Map() };
}

/** Returns the type of a column with its length or precision, or `enum`; `undefined` if it is unknown. */
export function columnType({ tables, enums }: Draft, table: string, column: string): string | undefined {
  const type = tables.get(table)?.columns.get(column);
  return type !== undefined && enums.has(type) ? "enum" : type;
}

/** Removes every table that a statement names, because it may have changed it. */
export function forgetNamed({ tables }: Draft, sql: string): void {
  const words = new Set(sql.split(/[^\p{L}\p{N}_$]+/u));
  for (const name of tables.keys()) if (words.has(name.slice(name.lastIndexOf(".") + 1))) tables.delete(name);
}

/** Drops a table with the foreign keys that reference it. */
export function dropTable({ tables }: Draft, name: string): void {
  tables.delete(name);
  for (const { foreignKeys } of tables.values()) {
    for (const [key, { references }] of foreignKeys) if (references === name) foreignKeys.delete(key);
  }
}

export function renameTable({ tables }: Draft, from: string, to: string): void {
  const table = tables.get(from);
  tables.delete(from);
  if (table !== undefined) tables.set(to, table);
  for (const { foreignKeys } of tables.values()) {
    for (const [name, key] of foreignKeys) {
      if (key.references === from) foreignKeys.set(name, { ...key, references: to });
    }
  }
}

/** Renames a column, also in keys and indexes. */
export function renameColumn(table: TableDraft, from: string, to: string): void {
  const { columns, foreignKeys, primaryKey, indexes } = table;
  const renamed = (name: string) => (name === from ? to : name);
  const types = [...columns];
  columns.clear();
  for (const [name, type] of types) columns.set(renamed(name), type);
  for (const [name, key] of foreignKeys) foreignKeys.set(name, { ...key, columns: key.columns.map(renamed) });
  for (const [name, parts] of primaryKey) primaryKey.set(name, parts.map(renamed));
  for (const [name, parts] of indexes)
    indexes.set(
      name,
      parts.map((part) => part && renamed(part)),
    );
}

/** Drops a column with the keys and indexes that contain it. */
export function dropColumn({ columns, foreignKeys, primaryKey, indexes }: TableDraft, column: string): void {
  columns.delete(column);
  for (const [name, parts] of primaryKey) if (parts.includes(column)) primaryKey.delete(name);
  for (const [name, key] of foreignKeys) if (key.columns.includes(column)) foreignKeys.delete(name);
  for (const [name, parts] of indexes) if (parts.includes(column) || parts.includes(null)) indexes.delete(name);
}
