import { hasSqlDetails, loadModule, type Node, parseSync, type RangeVar } from "libpg-query";

/** A kind of node in PostgreSQL's parse tree, such as `AlterTableStmt`. */
export type Kind = Node extends infer Each ? (Each extends unknown ? keyof Each : never) : never;

/** The node of a kind. */
export type NodeOf<K extends Kind> = Extract<Node, Record<K, unknown>>[K];

/** A statement that PostgreSQL's parser does not read. */
export interface SqlSyntaxError {
  readonly error: string;
}

/** @returns A parser of SQL: PostgreSQL's own, from libpg_query, compiled to WebAssembly. */
export async function openParser(): Promise<(sql: string) => readonly Node[] | SqlSyntaxError> {
  await loadModule();
  return (sql) => {
    // The parser refuses an empty text; to PostgreSQL it is no statement.
    if (sql.trim() === "") return [];
    try {
      return (parseSync(sql).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
    } catch (error) {
      if (error instanceof Error && hasSqlDetails(error)) return { error: error.message };
      throw error;
    }
  };
}

/** @returns A relation's name: `schema.name` where a schema is given, else `name`; never quoted. */
export function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = "" } = relation ?? {};
  return schemaname ? `${schemaname}.${relname}` : relname;
}

/** @returns The texts of a list of names, such as the parts of `schema.table.trigger`. */
export function texts(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ("String" in node ? (node.String.sval ?? "") : []));
}

/** @returns Names of the relations in a list. */
export function relationsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ("RangeVar" in node ? nameOf(node.RangeVar) : []));
}

/** @returns Every node of a kind in a tree, however deep: a DELETE may stand in the WITH of a SELECT. */
export function findAll<K extends Kind>(tree: unknown, kind: K): NodeOf<K>[] {
  if (tree === null || typeof tree !== "object") return [];
  return Object.entries(tree).flatMap(([key, value]) => [
    ...(key === kind ? [value as NodeOf<K>] : []),
    ...findAll(value, kind),
  ]);
}
