import type { Lock } from "../lock.ts";
import { openParser } from "../sql-parser.ts";
import { emptyDraft } from "./draft.ts";
import type { Schema, TableSchema } from "./schema.ts";
import { followAll } from "./statements.ts";

/** The part of the schema at the head of a chain that its SQL determines for certain. */
export interface ChainSchema {
  readonly tables: Schema;
  /** Columns of each table's primary key; tables without one are omitted. */
  readonly primaryKeys: Readonly<Record<string, readonly string[]>>;
  /** Constraints that the chain itself leaves NOT VALID, as `table.constraint`. */
  readonly notValid: readonly string[];
}

/**
 * Computes the schema that the SQL of a chain creates. Omits what depends on a database: a revision without SQL makes all
 * earlier tables uncertain, and a statement of an unknown kind those that it names.
 */
export async function chainSchema({ revisions }: Pick<Lock, "revisions">): Promise<ChainSchema> {
  const parse = await openParser();
  const draft = emptyDraft();
  for (const { upgrade } of revisions) {
    if (upgrade.sql === null) draft.tables.clear();
    for (const sql of upgrade.sql ?? []) followAll(draft, parse(sql), sql);
  }
  const tables: Record<string, TableSchema> = {};
  const primaryKeys: Record<string, readonly string[]> = {};
  for (const [name, { columns, foreignKeys, indexes, primaryKey }] of draft.tables) {
    tables[name] = {
      columns: Object.fromEntries([...columns].map(([column, type]) => [column, type.replace(/\(.*/, "")])),
      foreignKeys: [...foreignKeys.values()],
      indexes: Object.fromEntries(indexes),
    };
    for (const key of primaryKey.values()) primaryKeys[name] = key;
  }
  return { tables, primaryKeys, notValid: [...draft.notValid].sort() };
}
