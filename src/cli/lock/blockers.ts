import { describeChange } from "../../lockfile/database-schema/changes.ts";
import type { Incompatibility } from "../../lockfile/database-schema/compatibility.ts";
import { shorten } from "../../lockfile/describe.ts";
import type { LockedSql } from "../../lockfile/lock.ts";
import { rollbackBlocker, type SchemaBefore } from "../../lockfile/rollback-blocker.ts";
import type { Parse } from "../../lockfile/sql-parser.ts";
import { printable } from "../../printable.ts";
import type { RenderedRevision } from "./rendered-chain.ts";

/** Returns why a revision as a whole ends the rollback window, whatever its statements are. */
export function branchBlocker({ upgrade, downRevisions, dependsOn }: RenderedRevision): string | null {
  if (upgrade.sql === null) return `its SQL is not known: ${upgrade.reason}`;
  // The code of one branch has never run on the schema of the other.
  return downRevisions.length + dependsOn.length > 1 ? "joins branches" : null;
}

/**
 * Returns why the SQL that env.py executes at each migration ends the rollback window. The settings of its session are no
 * part of the schema, and what it creates may exist already.
 */
export function envBlocker(env: LockedSql, parse: Parse): string | null {
  if (env.sql === null) return `SQL of env.py is not known: ${env.reason}`;
  const schema: SchemaBefore = { created: new Set(), added: new Set(), typeOf: () => undefined };
  for (const sql of env.sql) {
    const nodes = parse(sql);
    if ("error" in nodes) return blockerText("SQL of env.py is rejected by PostgreSQL's parser", sql);
    for (const node of nodes) {
      const blocker = "VariableSetStmt" in node ? null : rollbackBlocker(node, schema);
      if (blocker !== null) return blockerText(`SQL of env.py ${blocker}`, sql);
    }
  }
  return null;
}

/** Returns the first reason why earlier code may fail on the schema after a revision. */
export function schemaBlocker([first]: readonly Incompatibility[]): string | null {
  return first === undefined ? null : printable(`${first.reason}: ${describeChange(first.change)}`);
}

/** Returns a blocker with the start of its statement. */
export function blockerText(blocker: string, sql: string): string {
  return printable(`${blocker}: ${shorten(sql)}`);
}
