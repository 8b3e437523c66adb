/** Why earlier code may fail, and what to do instead. */
export interface Conflict {
  /** Such as "drops what earlier code may use". */
  readonly reason: string;
  /** How to make the change in revisions that each keep the running release working. */
  readonly split: string;
}

export const dropped: Conflict = {
  reason: "drops or renames what earlier code may use",
  split: "Deploy a release that no longer uses it, then drop it. To rename, add the new one first, and write both.",
};
export const typed: Conflict = {
  reason: "changes a type, with which prepared statements of running sessions fail, and values may not fit",
  split: "Add a column of the new type, write both, copy the rows, and drop the old column in a later release.",
};
export const required: Conflict = {
  reason: "requires a value that earlier code may not write",
  split: "Deploy a release that always writes the value, fill the rows without one, then add NOT NULL.",
};
export const rejecting: Conflict = {
  reason: "may reject rows that earlier code writes",
  split: "Deploy a release whose rows comply, then add it.",
};
export const loosened: Conflict = {
  reason: "allows rows that earlier code may not expect",
  split: "Deploy a release that can read such rows, then allow them.",
};
export const defaulted: Conflict = {
  reason: "changes the default, so that rows of earlier code get another value",
  split: "Deploy a release that always writes the value, then change the default.",
};
export const replaced: Conflict = {
  reason: "changes what earlier code may use",
  split: "Add the new one under another name, deploy a release that uses it, then drop the old one.",
};
export const revoked: Conflict = {
  reason: "revokes privileges that earlier code may use",
  split: "Deploy a release that doesn't need them, then revoke them.",
};
export const enforced: Conflict = {
  reason: "changes what happens to rows that earlier code reads or writes",
  split: "Deploy a release that works with and without it, then change it.",
};
export const joined: Conflict = {
  reason: "adds a partition or a child of an existing table",
  split: "Verify that earlier code works with it, and approve the revision.",
};
export const hidden: Conflict = {
  reason: "adds a name that may hide another one of the same name",
  split: "Use another name.",
};
