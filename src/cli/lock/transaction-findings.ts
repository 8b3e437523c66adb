import type { Node } from "libpg-query";
import type { Finding } from "../../lockfile/lock.ts";
import { findAll, texts } from "../../lockfile/sql-parser.ts";
import { ownFinding } from "./own-findings.ts";

const help = "Wrap it in `with op.get_context().autocommit_block():`.";

/** The transaction of an upgrade, statement by statement: what PostgreSQL rejects in it. */
export class RevisionTransaction {
  #isOpen = true;
  /** Values that the open transaction added to enum types, with the type. */
  readonly #newValues = new Map<string, string>();

  /** Returns the findings on the next statement. */
  next(statement: Node, index: number): Finding[] {
    if ("TransactionStmt" in statement) {
      this.#isOpen = statement.TransactionStmt.kind === "TRANS_STMT_BEGIN";
      this.#newValues.clear();
    }
    if (!this.#isOpen) return [];
    const findings = [...rejection(statement, index), ...this.#usedValues(statement, index)];
    this.#noteNewValue(statement);
    return findings;
  }

  #usedValues(statement: Node, index: number): Finding[] {
    const values = findAll(statement, "A_Const").flatMap(({ sval }) => sval?.sval ?? []);
    return [...new Set(values)].flatMap((value) => {
      const type = this.#newValues.get(value);
      if (type === undefined) return [];
      const message = `Uses '${value}', which the same transaction adds to the type ${type}: PostgreSQL rejects it.`;
      const fix = "Add the value in an earlier revision, or in `with op.get_context().autocommit_block():`.";
      return [ownFinding("new-enum-value", index, message, fix)];
    });
  }

  #noteNewValue(statement: Node): void {
    if (!("AlterEnumStmt" in statement)) return;
    const { typeName, oldVal, newVal } = statement.AlterEnumStmt;
    if (oldVal === undefined && newVal !== undefined) this.#newValues.set(newVal, texts(typeName).join("."));
  }
}

/** Returns the finding on a statement that squawk has no rule for and that can't, or may not, run in a transaction. */
function rejection(statement: Node, index: number): Finding[] {
  const command = rejectedCommand(statement);
  if (command !== undefined)
    return [ownFinding("not-in-transaction", index, `PostgreSQL rejects ${command} in a transaction.`, help)];
  if (!("CallStmt" in statement)) return [];
  const message = `Calls the procedure ${procedureOf(statement.CallStmt)}, which fails in a transaction if it commits.`;
  return [ownFinding("procedure-call", index, message, `If it commits: ${help}`)];
}

/** Returns the command that PostgreSQL, or TimescaleDB, rejects in a transaction, if a statement is one. */
function rejectedCommand(statement: Node): string | undefined {
  if ("DropStmt" in statement && statement.DropStmt.concurrent) return "DROP INDEX CONCURRENTLY";
  if ("ReindexStmt" in statement) {
    const { kind, params } = statement.ReindexStmt;
    if (option(params, "concurrently") !== undefined) return "REINDEX CONCURRENTLY";
    return kind === "REINDEX_OBJECT_INDEX" || kind === "REINDEX_OBJECT_TABLE" ? undefined : "REINDEX of many tables";
  }
  if ("VacuumStmt" in statement && statement.VacuumStmt.is_vacuumcmd) return "VACUUM";
  if ("ClusterStmt" in statement && !statement.ClusterStmt.relation) return "CLUSTER of every table";
  if ("CreatedbStmt" in statement) return "CREATE DATABASE";
  if ("DropdbStmt" in statement) return "DROP DATABASE";
  if ("AlterDatabaseStmt" in statement && option(statement.AlterDatabaseStmt.options, "tablespace") !== undefined)
    return "ALTER DATABASE ... SET TABLESPACE";
  if ("CreateTableSpaceStmt" in statement) return "CREATE TABLESPACE";
  if ("DropTableSpaceStmt" in statement) return "DROP TABLESPACE";
  if ("AlterSystemStmt" in statement) return "ALTER SYSTEM";
  if ("DiscardStmt" in statement && statement.DiscardStmt.target === "DISCARD_ALL") return "DISCARD ALL";
  if ("CreateSubscriptionStmt" in statement && createsSlot(statement.CreateSubscriptionStmt.options))
    return "CREATE SUBSCRIPTION with a replication slot";
  if ("CreateTableAsStmt" in statement) {
    const { into } = statement.CreateTableAsStmt;
    const isContinuous = isOn(option(into?.options, "continuous", "timescaledb"));
    if (isContinuous && !into?.skipData) return "a continuous aggregate WITH DATA";
  }
  if ("CallStmt" in statement && procedureOf(statement.CallStmt).endsWith("refresh_continuous_aggregate"))
    return "refresh_continuous_aggregate()";
  const detaches = findAll(statement, "PartitionCmd").some(({ concurrent }) => concurrent);
  return detaches ? "DETACH PARTITION CONCURRENTLY" : undefined;
}

function procedureOf({ funccall }: { readonly funccall?: { readonly funcname?: Node[] } }): string {
  return texts(funccall?.funcname).join(".");
}

function createsSlot(options: readonly Node[] | undefined): boolean {
  return isOn(option(options, "connect") ?? "true") && isOn(option(options, "create_slot") ?? "true");
}

/** Returns the value of an option as text: `true` if it has none, `undefined` if the option is not given. */
function option(options: readonly Node[] | undefined, name: string, namespace?: string): string | undefined {
  for (const each of options ?? []) {
    if (!("DefElem" in each) || each.DefElem.defname !== name || each.DefElem.defnamespace !== namespace) continue;
    const { arg } = each.DefElem;
    if (arg === undefined) return "true";
    return "String" in arg ? (arg.String.sval ?? "") : "Integer" in arg ? String(arg.Integer.ival ?? 0) : "true";
  }
  return undefined;
}

/** Whether the text of a boolean option is true. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && !/^(f|false|off|no|0)$/i.test(value);
}
