import type { Node } from "libpg-query";
import type { Finding, LockedRevision } from "../../lockfile/lock.ts";
import { findAll, nameOf, relationsOf } from "../../lockfile/sql-parser.ts";
import { type OwnRule, ownRules } from "./rules.ts";

/** Returns a finding of a rule of ours. */
export function ownFinding(rule: OwnRule, statement: number | null, message: string, help: string): Finding {
  return { rule, level: ownRules[rule].level, statement, message, help };
}

/**
 * Returns the findings on a revision as a whole.
 *
 * @param idLimit - Maximum length of an id in the version table.
 * @param otherBase - The chain's first base, if the revision is another one.
 */
export function revisionFindings(
  revision: Pick<LockedRevision, "id" | "upgrade" | "reversible" | "reversibleReason">,
  idLimit: number,
  otherBase?: string,
): Finding[] {
  const { id, upgrade, reversible, reversibleReason } = revision;
  const findings: Finding[] = [];
  if (id.length > idLimit) {
    const message = `The id has ${id.length} characters, but the version table's column version_num holds ${idLimit}.`;
    const help = "Use a shorter id, or widen the column in an earlier revision.";
    findings.push(ownFinding("long-id", null, message, help));
  }
  if (reversible === false) {
    const message = `Can't be undone: ${reversibleReason}.`;
    findings.push(ownFinding("missing-downgrade", null, message, "Implement downgrade()."));
  }
  if (upgrade.sql === null && upgrade.rehearsed !== undefined) {
    const message = `SQL is known only from a rehearsal: ${upgrade.reason}.`;
    const help = "Run it on a copy of the database, too: its rows may lead to other statements.";
    findings.push(ownFinding("rehearsed-sql", null, message, help));
  } else if (upgrade.sql === null) {
    const message = `SQL is not known: ${upgrade.reason}.`;
    const help = "Rehearse the chain, or write statements that don't depend on a database.";
    findings.push(ownFinding("sql-not-known", null, message, help));
  }
  if (otherBase !== undefined) {
    const message = `No down_revision, like ${otherBase}: the chain has several bases.`;
    const help = "Set its down_revision, unless it starts a branch on purpose.";
    findings.push(ownFinding("several-bases", null, message, help));
  }
  return findings;
}

/** Returns the findings on the statement at `index` that squawk has no rule for. */
export function statementFindings(statement: Node, index: number): Finding[] {
  const findings: Finding[] = [];
  const add = (rule: OwnRule, message: string, help: string) => findings.push(ownFinding(rule, index, message, help));
  for (const { relation, whereClause, usingClause } of findAll(statement, "DeleteStmt"))
    if (!whereClause && !usingClause)
      add("delete-without-where", `Deletes every row of ${nameOf(relation)}.`, "Add a WHERE clause.");
  for (const { relation, whereClause, fromClause } of findAll(statement, "UpdateStmt"))
    if (!whereClause && !fromClause)
      add(
        "update-without-where",
        `Updates every row of ${nameOf(relation)}, and locks them until the revision commits.`,
        "Update in batches, or add a WHERE clause.",
      );
  // Squawk has a rule for CASCADE.
  if ("TruncateStmt" in statement && statement.TruncateStmt.behavior !== "DROP_CASCADE") {
    const tables = relationsOf(statement.TruncateStmt.relations).join(", ");
    add("truncate", `Deletes every row of ${tables}.`, "Keep the rows, or delete unneeded ones in a later release.");
  }
  return findings;
}

/** Returns the finding that PostgreSQL's parser rejects a statement with `error`. */
export function syntaxError(error: string, index: number): Finding {
  const help = "The parser is that of PostgreSQL 18. Run the statement on a database.";
  return ownFinding("syntax-error", index, `PostgreSQL's parser rejects it: ${error}.`, help);
}
