import type { AlterTableCmd, ColumnDef, Constraint, Node } from "libpg-query";
import { findAll, type NodeOf, nameOf, relationsOf, texts } from "../../../lockfile/sql-parser.ts";

/** A foreign key: a change of its table may lock the referenced one. */
interface ForeignKey {
  name: string;
  table: string;
  columns: string[];
  references: string;
  /** Referenced columns; empty for an unnamed primary key. */
  readonly referenced: readonly string[];
}

/** Returns the foreign keys that a column or a table constraint declares for `table`. */
export function foreignKeysOf(table: string, element: Node): ForeignKey[] {
  if ("Constraint" in element) return foreignKey(table, element.Constraint, texts(element.Constraint.fk_attrs));
  if (!("ColumnDef" in element)) return [];
  const { colname = "", constraints = [] } = element.ColumnDef as ColumnDef;
  return constraints.flatMap((node) => ("Constraint" in node ? foreignKey(table, node.Constraint, [colname]) : []));
}

function foreignKey(table: string, constraint: Constraint, columns: string[]): ForeignKey[] {
  if (constraint.contype !== "CONSTR_FOREIGN") return [];
  // PostgreSQL's default name (ChooseForeignKeyConstraintNameAddition in commands/tablecmds.c).
  const name = constraint.conname ?? [unqualified(table), ...columns, "fkey"].join("_");
  return [{ name, table, columns, references: nameOf(constraint.pktable), referenced: texts(constraint.pk_attrs) }];
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** A table that inherits from another one, or is a partition of it. */
interface Heir {
  table: string;
  parent: string;
  readonly isPartition: boolean;
}

/**
 * Indexes, foreign keys, inheritance, and views after the chain's statements so far. `DROP INDEX` doesn't contain the table, and
 * `DROP TABLE` doesn't contain the other tables that it locks.
 */
export class Relations {
  readonly #indexes = new Map<string, string>();
  /** Tables of extended statistics. */
  readonly #statistics = new Map<string, readonly string[]>();
  /** Tables and views that each view reads. */
  readonly #views = new Map<string, readonly string[]>();
  #heirs: Heir[] = [];
  #foreignKeys: ForeignKey[] = [];

  /** Returns the table of an index, if an earlier statement created it. */
  tableOf(index: string): string | undefined {
    return this.#indexes.get(index);
  }

  /** Returns the tables of extended statistics. */
  tablesOfStatistics(name: string): readonly string[] {
    return this.#statistics.get(name) ?? [];
  }

  /** Returns the tables that inherit from one. Partitions are not included: their table represents them. */
  heirsOf(table: string): string[] {
    return this.#heirs.filter(({ parent, isPartition }) => parent === table && !isPartition).map((heir) => heir.table);
  }

  /** Returns the table of a partition. */
  partitionedBy(partition: string): string[] {
    return this.#heirs
      .filter(({ table, isPartition }) => table === partition && isPartition)
      .map(({ parent }) => parent);
  }

  /** Returns the views that read a table or a view. */
  viewsOf(name: string): string[] {
    return [...this.#views].filter(([, read]) => read.includes(name)).map(([view]) => view);
  }

  /** Returns the tables that foreign keys of `table` reference; only those with `constraint` or on `column`, if given. */
  referencedBy(table: string, { constraint, column }: { constraint?: string; column?: string } = {}): string[] {
    const found = this.#foreignKeys.filter(
      (key) =>
        key.table === table &&
        (constraint === undefined || key.name === constraint) &&
        (column === undefined || key.columns.includes(column)),
    );
    return found.map(({ references }) => references);
  }

  /** Returns the tables whose foreign keys reference `table`, or its `column` if given. */
  referencing(table: string, column?: string): string[] {
    const found = this.#foreignKeys.filter(
      ({ references, referenced }) => references === table && (column === undefined || referenced.includes(column)),
    );
    return found.map((key) => key.table);
  }

  /** Applies a statement. */
  note(statement: Node): void {
    if ("CreateStmt" in statement) {
      const { relation, tableElts = [], inhRelations, partbound } = statement.CreateStmt;
      for (const parent of relationsOf(inhRelations))
        this.#heirs.push({ table: nameOf(relation), parent, isPartition: partbound !== undefined });
      this.#foreignKeys.push(...tableElts.flatMap((element) => foreignKeysOf(nameOf(relation), element)));
    } else if ("IndexStmt" in statement) {
      const { relation, idxname } = statement.IndexStmt;
      if (idxname) this.#indexes.set(nameOf({ ...relation, relname: idxname }), nameOf(relation));
    } else if ("CreateStatsStmt" in statement) {
      const { defnames, relations } = statement.CreateStatsStmt;
      this.#statistics.set(texts(defnames).join("."), relationsOf(relations));
    } else if ("ViewStmt" in statement) {
      const { view, query } = statement.ViewStmt;
      this.#views.set(nameOf(view), findAll(query, "RangeVar").map(nameOf));
    } else if ("CreateTableAsStmt" in statement && statement.CreateTableAsStmt.objtype === "OBJECT_MATVIEW") {
      const { into, query } = statement.CreateTableAsStmt;
      this.#views.set(nameOf(into?.rel), findAll(query, "RangeVar").map(nameOf));
    } else if ("AlterTableStmt" in statement) {
      const { relation, cmds = [] } = statement.AlterTableStmt;
      for (const node of cmds) if ("AlterTableCmd" in node) this.#alter(nameOf(relation), node.AlterTableCmd);
    } else if ("RenameStmt" in statement) {
      this.#rename(statement.RenameStmt);
    } else if ("DropStmt" in statement) {
      this.#drop(statement.DropStmt);
    }
  }

  #alter(table: string, { subtype, name, def }: AlterTableCmd): void {
    if (def !== undefined) this.#foreignKeys.push(...foreignKeysOf(table, def));
    if (def !== undefined && "PartitionCmd" in def) {
      const partition = nameOf(def.PartitionCmd.name);
      if (subtype === "AT_DetachPartition") this.#heirs = this.#heirs.filter((heir) => heir.table !== partition);
      if (subtype === "AT_AttachPartition") this.#heirs.push({ table: partition, parent: table, isPartition: true });
    }
    if (def !== undefined && "RangeVar" in def) {
      const parent = nameOf(def.RangeVar);
      if (subtype === "AT_AddInherit") this.#heirs.push({ table, parent, isPartition: false });
      if (subtype === "AT_DropInherit")
        this.#heirs = this.#heirs.filter((heir) => heir.table !== table || heir.parent !== parent);
    }
    if (subtype === "AT_DropConstraint" || subtype === "AT_DropColumn") {
      this.#foreignKeys = this.#foreignKeys.filter(
        (key) =>
          key.table !== table || !(subtype === "AT_DropConstraint" ? [key.name] : key.columns).includes(name ?? ""),
      );
    }
  }

  #drop({ removeType, objects = [] }: NodeOf<"DropStmt">): void {
    const names = new Set(objects.map((node) => ("List" in node ? texts(node.List.items).join(".") : "")));
    if (removeType === "OBJECT_INDEX") for (const name of names) this.#indexes.delete(name);
    for (const name of names) this.#views.delete(name);
    if (removeType !== "OBJECT_TABLE") return;
    this.#foreignKeys = this.#foreignKeys.filter((key) => !names.has(key.table) && !names.has(key.references));
    for (const [index, table] of this.#indexes) if (names.has(table)) this.#indexes.delete(index);
    this.#heirs = this.#heirs.filter(({ table, parent }) => !names.has(table) && !names.has(parent));
  }

  #rename({ renameType, relation, subname, newname = "" }: NodeOf<"RenameStmt">): void {
    const [name, renamed] = [nameOf(relation), nameOf({ ...relation, relname: newname })];
    const swap = (given: string, from: string | undefined, to: string) => (given === from ? to : given);
    if (renameType === "OBJECT_INDEX") {
      const table = this.#indexes.get(name);
      if (table !== undefined) this.#indexes.set(renamed, table);
      this.#indexes.delete(name);
    } else if (renameType === "OBJECT_TABLE") {
      for (const [index, table] of this.#indexes) this.#indexes.set(index, swap(table, name, renamed));
      for (const heir of this.#heirs) {
        heir.table = swap(heir.table, name, renamed);
        heir.parent = swap(heir.parent, name, renamed);
      }
      for (const [view, read] of this.#views)
        this.#views.set(
          view,
          read.map((each) => swap(each, name, renamed)),
        );
      for (const key of this.#foreignKeys) {
        key.table = swap(key.table, name, renamed);
        key.references = swap(key.references, name, renamed);
      }
    }
    for (const key of this.#foreignKeys.filter(({ table }) => table === name)) {
      if (renameType === "OBJECT_COLUMN") key.columns = key.columns.map((column) => swap(column, subname, newname));
      if (renameType === "OBJECT_TABCONSTRAINT") key.name = swap(key.name, subname, newname);
    }
  }
}
