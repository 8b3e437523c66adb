import { chainTables } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { chainSchema } from "../../lockfile/schema/chain-schema.ts";
import type { TableSchema } from "../../lockfile/schema/schema.ts";

/** A table that exists at the head of the chain. */
export interface TableView {
  readonly name: string;
  /** ID of the revision that creates it. */
  readonly createdBy: string;
  /** In the order of the table; empty if the lockfile's SQL doesn't show them. */
  readonly columns: readonly string[];
  /** Foreign keys: their columns, and the table that they reference. */
  readonly references: readonly { readonly columns: readonly string[]; readonly table: string }[];
  /** Number of indexes that the chain names, including those of constraints. */
  readonly indexes: number;
}

/** A table as the lockfile's SQL defines it. */
export interface TableDetails extends Pick<TableView, "name" | "createdBy">, TableSchema {
  /** Its columns; none if it has no primary key. */
  readonly primaryKey: readonly string[];
}

/** Returns the tables that certainly exist at the head, in the order of their creation. */
export async function readTables(lock: Lock): Promise<readonly TableDetails[]> {
  const { tables, primaryKeys } = await chainSchema(lock);
  const remaining = new Set(chainTables(lock));
  const creators = new Map(
    lock.revisions.flatMap(({ id, tables }) => (tables?.created ?? []).map((name) => [name, id])),
  );
  return [...creators].flatMap(([name, createdBy]) => {
    const { columns = {}, foreignKeys = [], indexes = {} } = tables[name] ?? {};
    const details = { name, createdBy, columns, primaryKey: primaryKeys[name] ?? [], foreignKeys, indexes };
    return remaining.has(name) ? [details] : [];
  });
}

/** Returns the tables of {@link readTables} in brief. */
export async function readSchema(lock: Lock): Promise<readonly TableView[]> {
  return (await readTables(lock)).map(({ name, createdBy, columns, foreignKeys, indexes }) => ({
    name,
    createdBy,
    columns: Object.keys(columns),
    references: foreignKeys.map((key) => ({ columns: key.columns, table: key.references })),
    indexes: Object.keys(indexes).length,
  }));
}
