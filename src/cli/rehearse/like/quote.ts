import { partsOfKey } from "../../../lockfile/database-schema/sql-names.ts";

/** Returns the name of a table, `schema.name`, as SQL needs it. */
export function quoteTable(name: string): string {
  return partsOfKey(name).map(quoteName).join(".");
}

/** Returns a name in quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
