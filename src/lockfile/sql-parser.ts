import type { Node, RangeVar } from "libpg-query";

/** A kind of node in PostgreSQL's parse tree, such as `AlterTableStmt`. */
export type Kind = Node extends infer Each ? (Each extends unknown ? keyof Each : never) : never;

/** The node of a kind. */
export type NodeOf<K extends Kind> = Extract<Node, Record<K, unknown>>[K];

/** A syntax error in a statement. */
export interface SqlSyntaxError {
  readonly error: string;
}

/** Returns the statements of a text, or why PostgreSQL rejects it. */
export type Parse = (sql: string) => readonly Node[] | SqlSyntaxError;

/** Loads PostgreSQL's own SQL parser: libpg_query, compiled to WebAssembly, which most commands do without. */
export async function openParser(): Promise<Parse> {
  const { hasSqlDetails, loadModule, parseSync } = await import("libpg-query");
  await loadModule();
  return (sql) => {
    // The parser rejects an empty text, which PostgreSQL accepts.
    if (sql.trim() === "") return [];
    try {
      return (parseSync(sql).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
    } catch (error) {
      if (error instanceof Error && hasSqlDetails(error)) return { error: error.message };
      throw error;
    }
  };
}

/** Returns the unquoted name of a relation: `schema.name` if a schema is given, otherwise `name`. */
export function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = "" } = relation ?? {};
  return schemaname ? `${schemaname}.${relname}` : relname;
}

/** Returns the texts of a list of names, such as the parts of `schema.table.trigger`. */
export function texts(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ("String" in node ? (node.String.sval ?? "") : []));
}

/** Returns the names of the relations in a list. */
export function relationsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ("RangeVar" in node ? nameOf(node.RangeVar) : []));
}

/** Returns every node of a kind in a tree at any depth, such as a DELETE in the WITH of a SELECT. */
export function findAll<K extends Kind>(tree: unknown, kind: K): NodeOf<K>[] {
  if (tree === null || typeof tree !== "object") return [];
  const found: NodeOf<K>[] = [];
  for (const [key, value] of Object.entries(tree)) {
    if (key === kind) found.push(value as NodeOf<K>);
    found.push(...findAll(value, kind));
  }
  return found;
}
