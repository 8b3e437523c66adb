import { chainTables } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { chainSchema } from "../../lockfile/schema/chain-schema.ts";
import type { TableSchema } from "../../lockfile/schema/schema.ts";

/** A table that the whole chain leaves. */
export interface TableView {
  readonly name: string;
  /** Id of the revision that makes it. */
  readonly madeBy: string;
  /** In the order of the table; none if no statement of the lock tells. */
  readonly columns: readonly string[];
  /** Foreign keys: their columns, and the table that they point at. */
  readonly references: readonly { readonly columns: readonly string[]; readonly table: string }[];
  /** Indexes that the chain names, those of constraints among them. */
  readonly indexes: number;
}

/** All that the lock's SQL tells of a table. */
export interface TableDetails extends Pick<TableView, "name" | "madeBy">, TableSchema {
  /** Its columns; none if it has no primary key. */
  readonly primaryKey: readonly string[];
}

/** @returns The tables that the chain surely leaves, in the order in which it makes them, as its SQL describes them. */
export async function readTables(lock: Lock): Promise<readonly TableDetails[]> {
  const { tables, primaryKeys } = await chainSchema(lock);
  const left = new Set(chainTables(lock));
  const makers = new Map(lock.revisions.flatMap(({ id, tables }) => (tables?.created ?? []).map((name) => [name, id])));
  return [...makers].flatMap(([name, madeBy]) => {
    const { columns = {}, foreignKeys = [], indexes = {} } = tables[name] ?? {};
    const details = { name, madeBy, columns, primaryKey: primaryKeys[name] ?? [], foreignKeys, indexes };
    return left.has(name) ? [details] : [];
  });
}

/** @returns {@link readTables} in short. */
export async function readSchema(lock: Lock): Promise<readonly TableView[]> {
  return (await readTables(lock)).map(({ name, madeBy, columns, foreignKeys, indexes }) => ({
    name,
    madeBy,
    columns: Object.keys(columns),
    references: foreignKeys.map((key) => ({ columns: key.columns, table: key.references })),
    indexes: Object.keys(indexes).length,
  }));
}
