import type { Node } from "libpg-query";
import type { Finding, LockedRevision } from "../../lockfile/lock.ts";
import { findAll, nameOf, relationsOf } from "../../lockfile/sql-parser.ts";
import { type OwnRule, ownRules } from "./rules.ts";

function ownFinding(rule: OwnRule, statement: number | null, message: string, help: string): Finding {
  return { rule, level: ownRules[rule].level, statement, message, help };
}

/** @returns What is to be said of a revision as a whole. `otherBase` is the chain's first base, if this is another. */
export function revisionFindings(
  { upgrade, reversible, reversibleReason }: Pick<LockedRevision, "upgrade" | "reversible" | "reversibleReason">,
  otherBase?: string,
): Finding[] {
  return [
    ...(reversible === false
      ? [ownFinding("missing-downgrade", null, `It can't be undone: ${reversibleReason}.`, "Write its downgrade().")]
      : []),
    ...(upgrade.sql === null
      ? [
          ownFinding(
            "sql-not-known",
            null,
            `Its SQL can't be reviewed, since only a database could give it: ${upgrade.reason}.`,
            "Write statements that don't depend on rows, or run it against a copy of the database first.",
          ),
        ]
      : []),
    ...(otherBase !== undefined
      ? [
          ownFinding(
            "several-bases",
            null,
            `It has no down_revision, as ${otherBase} has none: the chain has several beginnings.`,
            "Set its down_revision, unless it starts a branch on purpose.",
          ),
        ]
      : []),
  ];
}

/** @returns What is to be said of one statement, whose index is `index`, that squawk does not look for. */
export function statementFindings(statement: Node, index: number): Finding[] {
  const add = (rule: OwnRule, message: string, help: string) => [ownFinding(rule, index, message, help)];
  const deletes = findAll(statement, "DeleteStmt").filter((one) => !one.whereClause && !one.usingClause);
  const updates = findAll(statement, "UpdateStmt").filter((one) => !one.whereClause && !one.fromClause);
  return [
    ...deletes.flatMap(({ relation }) =>
      add("delete-without-where", `It deletes every row of ${nameOf(relation)}.`, "Say which rows with WHERE."),
    ),
    ...updates.flatMap(({ relation }) =>
      add(
        "update-without-where",
        `It changes every row of ${nameOf(relation)}, and keeps all of them locked until the revision is committed.`,
        "Change them in batches, or say which rows with WHERE.",
      ),
    ),
    // squawk has a rule of its own for CASCADE.
    ...("TruncateStmt" in statement && statement.TruncateStmt.behavior !== "DROP_CASCADE"
      ? add(
          "truncate",
          `It deletes every row of ${relationsOf(statement.TruncateStmt.relations).join(", ")}.`,
          "Keep the rows, or delete in a later release those that nothing needs.",
        )
      : []),
  ];
}

/** @returns The finding that PostgreSQL's parser, which says `fault`, refuses a statement. */
export function syntaxError(error: string, index: number): Finding {
  const help = "Run it against a database: the lock's parser is that of PostgreSQL 18.";
  return ownFinding("syntax-error", index, `PostgreSQL's parser refuses it: ${error}.`, help);
}

/** @returns The finding that `command` stands in a transaction. */
export function notInTransaction(command: string, index: number): Finding {
  const help = "Put it into `with op.get_context().autocommit_block():`.";
  return ownFinding("not-in-transaction", index, `PostgreSQL refuses ${command} in a transaction.`, help);
}

/** @returns What PostgreSQL refuses in a transaction and squawk does not look for, as its command reads; else nothing. */
export function invalidInTransaction(statement: Node): string | undefined {
  const has = (nodes: readonly Node[] | undefined, name: string) =>
    (nodes ?? []).some((node) => "DefElem" in node && node.DefElem.defname === name);
  if ("DropStmt" in statement && statement.DropStmt.concurrent) return "DROP INDEX CONCURRENTLY";
  if ("ReindexStmt" in statement) {
    const { kind, params } = statement.ReindexStmt;
    if (has(params, "concurrently")) return "REINDEX CONCURRENTLY";
    return kind === "REINDEX_OBJECT_INDEX" || kind === "REINDEX_OBJECT_TABLE" ? undefined : "REINDEX of many tables";
  }
  if ("VacuumStmt" in statement && statement.VacuumStmt.is_vacuumcmd) return "VACUUM";
  if ("ClusterStmt" in statement && !statement.ClusterStmt.relation) return "CLUSTER of every table";
  if ("CreatedbStmt" in statement) return "CREATE DATABASE";
  if ("CreateTableSpaceStmt" in statement) return "CREATE TABLESPACE";
  if ("DropTableSpaceStmt" in statement) return "DROP TABLESPACE";
  if ("AlterSystemStmt" in statement) return "ALTER SYSTEM";
  return findAll(statement, "PartitionCmd").some(({ concurrent }) => concurrent)
    ? "DETACH PARTITION CONCURRENTLY"
    : undefined;
}
