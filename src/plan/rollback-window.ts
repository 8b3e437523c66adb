/** Earlier releases that the database's revision supports, by its run record. */
export interface RollbackWindow {
  /** The image that applied the revision. */
  readonly image: string;
  /** Start of that run in ISO 8601, with the server's offset. */
  readonly startedAt: string;
  /** Earlier heads whose code keeps working on the schema. */
  readonly heads: readonly string[];
  /** The revision that ends the window, and why; `null` where the records end. */
  readonly end: { readonly revision: string; readonly blocker: string } | null;
}

/** Describes why the code of a head, which the window lacks, may fail at the database's revision. */
export function describeWindowEnd({ image, startedAt, end }: RollbackWindow, head: string): string {
  const release = image === "" ? "An unnamed image" : image;
  const applied = `${release} applied it at ${startedAt}.`;
  if (end === null) return `${applied} The run record does not say whether the code of ${head} keeps working.`;
  return `${applied} This release (${head}) may fail because of revision ${end.revision}: ${end.blocker}.`;
}
