import type { Lock } from "../lock.ts";
import { openParser } from "../sql-parser.ts";
import type { Draft } from "./draft.ts";
import type { Schema } from "./schema.ts";
import { follow } from "./statements.ts";

/** What a chain surely leaves behind. */
export interface ChainSchema {
  readonly tables: Schema;
  /** Columns of each table's primary key; tables without one are left out. */
  readonly primaryKeys: Readonly<Record<string, readonly string[]>>;
  /** Constraints that the chain itself leaves NOT VALID, as `table.constraint`. */
  readonly notValid: readonly string[];
}

/**
 * Follows the SQL of a whole chain. What only a database could tell is left out: after a revision without SQL nothing of
 * what came before is sure, and a table that a statement of an unknown kind names is no longer.
 */
export async function chainSchema({ revisions }: Pick<Lock, "revisions">): Promise<ChainSchema> {
  const parse = await openParser();
  const draft: Draft = { tables: new Map(), notValid: new Set() };
  for (const { upgrade } of revisions) {
    if (upgrade.sql === null) draft.tables.clear();
    for (const sql of upgrade.sql ?? []) {
      const parsed = parse(sql);
      if ("error" in parsed) draft.tables.clear();
      else for (const statement of parsed) follow(draft, statement, sql);
    }
  }
  const tables = [...draft.tables].map(([name, { columns, foreignKeys, indexes }]) => [
    name,
    {
      columns: Object.fromEntries(columns),
      foreignKeys: [...foreignKeys.values()],
      indexes: Object.fromEntries(indexes),
    },
  ]);
  const primaryKeys = [...draft.tables].flatMap(([name, { primaryKey }]) =>
    [...primaryKey.values()].map((key) => [name, key] as const),
  );
  return {
    tables: Object.fromEntries(tables),
    primaryKeys: Object.fromEntries(primaryKeys),
    notValid: [...draft.notValid].sort(),
  };
}
