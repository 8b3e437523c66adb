import type { AlterTableCmd, Node } from "libpg-query";
import { chainTables, type Lock } from "../../migrations/lock.ts";
import { type NodeOf, nameOf, openParser } from "../lock/sql/parser.ts";
import { foreignKeysOf } from "../lock/sql/relations.ts";

/** A table that the whole chain leaves. */
export interface TableView {
  readonly name: string;
  /** Id of the revision that makes it. */
  readonly madeBy: string;
  /** In the order of the table; none if no statement of the lock tells. */
  readonly columns: readonly string[];
  /** Foreign keys: their columns, and the table that they point at. */
  readonly references: readonly { readonly columns: readonly string[]; readonly table: string }[];
  /** Indexes that the chain makes on it, besides those of its constraints. */
  readonly indexes: number;
}

/** A table while the chain's statements are read. */
interface Draft {
  columns: string[];
  keys: ReturnType<typeof foreignKeysOf>;
  indexes: Set<string>;
}

/** @returns The tables that the chain surely leaves, in the order in which it makes them, as its SQL describes them. */
export async function readSchema(lock: Lock): Promise<readonly TableView[]> {
  const parse = await openParser();
  const drafts = new Map<string, Draft>();
  for (const statement of lock.revisions.flatMap(({ upgrade }) => upgrade.sql ?? [])) {
    const nodes = parse(statement);
    if (!("fault" in nodes)) for (const node of nodes) follow(drafts, node);
  }
  const left = new Set(chainTables(lock));
  const makers = new Map(lock.revisions.flatMap(({ id, tables }) => (tables?.created ?? []).map((name) => [name, id])));
  return [...makers].flatMap(([name, madeBy]) => {
    const { columns, keys, indexes } = drafts.get(name) ?? { columns: [], keys: [], indexes: new Set() };
    const references = keys.map((key) => ({ columns: key.columns, table: key.references }));
    return left.has(name) ? [{ name, madeBy, columns, references, indexes: indexes.size }] : [];
  });
}

/** Takes in what one statement changes. */
function follow(drafts: Map<string, Draft>, node: Node): void {
  if ("CreateStmt" in node) create(drafts, node.CreateStmt);
  else if ("IndexStmt" in node) {
    const { idxname = "", relation } = node.IndexStmt;
    drafts.get(nameOf(relation))?.indexes.add(idxname);
  } else if ("RenameStmt" in node) rename(drafts, node.RenameStmt);
  else if ("AlterTableStmt" in node) {
    const table = nameOf(node.AlterTableStmt.relation);
    for (const command of node.AlterTableStmt.cmds ?? []) {
      if ("AlterTableCmd" in command) alter(drafts.get(table), table, command.AlterTableCmd);
    }
  } else if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_INDEX") {
    for (const name of namesIn(node.DropStmt.objects)) for (const { indexes } of drafts.values()) indexes.delete(name);
  }
}

function create(drafts: Map<string, Draft>, { relation, tableElts = [] }: NodeOf<"CreateStmt">): void {
  const name = nameOf(relation);
  drafts.set(name, {
    columns: tableElts.flatMap((element) => ("ColumnDef" in element ? (element.ColumnDef.colname ?? []) : [])),
    keys: tableElts.flatMap((element) => foreignKeysOf(name, element)),
    indexes: new Set(),
  });
}

function rename(
  drafts: Map<string, Draft>,
  { renameType, relation, subname, newname = "" }: NodeOf<"RenameStmt">,
): void {
  const table = drafts.get(nameOf(relation));
  if (table === undefined) return;
  if (renameType === "OBJECT_COLUMN") table.columns = table.columns.map((name) => (name === subname ? newname : name));
  if (renameType === "OBJECT_TABLE") drafts.set(newname, table);
}

function alter(table: Draft | undefined, name: string, { subtype, def, name: part }: AlterTableCmd): void {
  if (table === undefined) return;
  if (def !== undefined) table.keys.push(...foreignKeysOf(name, def));
  if (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def)
    table.columns.push(def.ColumnDef.colname ?? "");
  if (subtype === "AT_DropColumn") {
    table.columns = table.columns.filter((column) => column !== part);
    table.keys = table.keys.filter(({ columns }) => !columns.includes(part ?? ""));
  }
  if (subtype === "AT_DropConstraint") table.keys = table.keys.filter((key) => key.name !== part);
}

/** @returns The last part of each name in a DROP. */
function namesIn(objects: readonly Node[] = []): string[] {
  return objects.flatMap((object) => {
    const last = "List" in object ? object.List.items?.at(-1) : undefined;
    return last !== undefined && "String" in last ? (last.String.sval ?? []) : [];
  });
}
