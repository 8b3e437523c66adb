/** @returns The id of a table's entry in the report; another for each name, and without spaces. */
export function tableId(name: string): string {
  return `table-${encodeURIComponent(name.toWellFormed())}`;
}

/** @returns The id of a revision in the report's chain. */
export function revisionId(id: string): string {
  return `revision-${encodeURIComponent(id.toWellFormed())}`;
}

/** @returns The id of a pending revision in the report's plan. */
export function pendingId(id: string): string {
  return `pending-${encodeURIComponent(id.toWellFormed())}`;
}
