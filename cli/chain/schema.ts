import { chainTables, type Lock } from "../../migrations/lock.ts";
import { chainSchema } from "../../migrations/schema/chain-schema.ts";

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

/** @returns The tables that the chain surely leaves, in the order in which it makes them, as its SQL describes them. */
export async function readSchema(lock: Lock): Promise<readonly TableView[]> {
  const { tables } = await chainSchema(lock);
  const left = new Set(chainTables(lock));
  const makers = new Map(lock.revisions.flatMap(({ id, tables }) => (tables?.created ?? []).map((name) => [name, id])));
  return [...makers].flatMap(([name, madeBy]) => {
    const { columns = {}, foreignKeys = [], indexes = {} } = tables[name] ?? {};
    const references = foreignKeys.map((key) => ({ columns: key.columns, table: key.references }));
    const view = { name, madeBy, columns: Object.keys(columns), references, indexes: Object.keys(indexes).length };
    return left.has(name) ? [view] : [];
  });
}
