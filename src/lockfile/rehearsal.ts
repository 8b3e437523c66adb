import { createHash } from "node:crypto";
import { applyChanges } from "./database-schema/changes.ts";
import { type DatabaseSchema, emptySchema } from "./database-schema/database-schema.ts";
import { unpackChanges } from "./evidence.ts";
import type { Lock, LockedRevision } from "./lock.ts";

/** The parts of a lockfile that identify what was rehearsed. */
interface Rehearsable extends Pick<Lock, "alembic" | "versionTable" | "files" | "rehearsal"> {
  readonly revisions: readonly Pick<
    LockedRevision,
    "id" | "downRevisions" | "dependsOn" | "sha256" | "files" | "rehearsed"
  >[];
}

/** Returns the hash of what a rehearsal depends on: the chain's files, how Alembic is called, and the version of PostgreSQL. */
export function rehearsalDigest(lock: Rehearsable, postgres: string): string {
  const { alembic, versionTable, files, revisions } = lock;
  const chain = revisions.map(({ id, downRevisions, dependsOn, sha256, files }) => [
    id,
    downRevisions,
    dependsOn,
    sha256,
    files,
  ]);
  return createHash("sha256")
    .update(JSON.stringify([postgres, alembic, versionTable, files, chain]))
    .digest("hex");
}

/** Returns why the evidence of a lockfile is not that of its chain; `null` if it is, or if there is none. */
export function staleEvidence(lock: Rehearsable): string | null {
  const { rehearsal, revisions } = lock;
  if (rehearsal === undefined || rehearsal.chain === rehearsalDigest(lock, rehearsal.postgres)) return null;
  const missing = revisions.filter(({ rehearsed }) => rehearsed === undefined).map(({ id }) => id);
  return missing.length > 0
    ? `not rehearsed: ${missing.join(", ")}`
    : "env.py, a module, or the order of the revisions has changed since the rehearsal";
}

/** Describes the rehearsal that a lockfile's evidence is from, as a sentence. */
export function describeLockedRehearsal(lock: Rehearsable): string {
  const { rehearsal, revisions } = lock;
  if (rehearsal === undefined) return "The chain was not rehearsed.";
  const count = revisions.filter(({ rehearsed }) => rehearsed !== undefined).length;
  const stale = staleEvidence(lock);
  const reason = stale === null ? "" : ` The evidence is stale: ${stale}.`;
  return `${count} of ${revisions.length} revisions were rehearsed on PostgreSQL ${rehearsal.postgres}: upgrade, downgrade, upgrade.${reason}`;
}

/** Describes in a phrase what the rehearsal of a revision showed. */
export function describeEvidence({ rehearsed }: Pick<LockedRevision, "rehearsed">): string {
  if (rehearsed === undefined) return "not rehearsed";
  const { downgrade, leaves = [], error, nondeterministic, variable } = rehearsed;
  if (variable !== undefined) return `rehearsed: depends on the variable ${variable}`;
  if (nondeterministic) return "rehearsed: differs between two runs";
  if (downgrade === "failed") return `rehearsed: its downgrade fails: ${error ?? "unknown error"}`;
  if (downgrade === "incomplete") return `rehearsed: its downgrade leaves ${leaves.length} differences`;
  return "rehearsed: its downgrade undoes it";
}

/** Evidence on a revision, with the statements that ran where they are not those that were rendered. */
export interface Evidence extends Pick<LockedRevision, "rehearsed"> {
  readonly upgrade: readonly string[] | undefined;
  readonly downgrade: readonly string[] | undefined;
}

/** Returns a revision with evidence. */
export function withEvidence<R extends Pick<LockedRevision, "upgrade" | "downgrade">>(
  revision: R,
  { rehearsed, upgrade, downgrade }: Evidence,
): R & Pick<LockedRevision, "rehearsed"> {
  return {
    ...revision,
    upgrade: upgrade === undefined ? revision.upgrade : { ...revision.upgrade, rehearsed: upgrade },
    downgrade: downgrade === undefined ? revision.downgrade : { ...revision.downgrade, rehearsed: downgrade },
    ...(rehearsed && { rehearsed }),
  };
}

/** Returns the evidence in a lockfile on the revisions whose files are still the same, by id. */
export function evidenceOf(reviewed: Lock): (revision: Pick<LockedRevision, "id" | "sha256" | "files">) => Evidence {
  const known = new Map(reviewed.revisions.map((revision) => [revision.id, revision]));
  return ({ id, sha256, files }) => {
    const found = known.get(id);
    const isSame = found?.sha256 === sha256 && JSON.stringify(found.files) === JSON.stringify(files);
    if (found === undefined || !isSame) return { upgrade: undefined, downgrade: undefined };
    const { upgrade, downgrade, rehearsed } = found;
    return { upgrade: upgrade.rehearsed, downgrade: downgrade.rehearsed, ...(rehearsed && { rehearsed }) };
  };
}

/** The schema of a database before its first revision. */
export const schemaAtBase: DatabaseSchema = { ...emptySchema, schemas: { public: {} } };

/** Returns a schema after a revision, as the rehearsal found it; `null` if it was not rehearsed, or its changes are not recorded. */
export function schemaAfter(
  schema: DatabaseSchema,
  { rehearsed }: Pick<LockedRevision, "rehearsed">,
): DatabaseSchema | null {
  if (rehearsed === undefined || rehearsed.nondeterministic || rehearsed.variable !== undefined) return null;
  return applyChanges(schema, unpackChanges(rehearsed.changes));
}

/**
 * Returns the schema of a database that has exactly some revisions of the chain, as the rehearsal found it.
 *
 * @param has - Whether the database has a revision.
 * @returns `null` if one of them was not rehearsed, or its changes are not recorded.
 */
export function rehearsedSchema(
  { revisions }: Pick<Lock, "revisions">,
  has: (id: string) => boolean,
): DatabaseSchema | null {
  let schema: DatabaseSchema | null = schemaAtBase;
  for (const revision of revisions) if (schema !== null && has(revision.id)) schema = schemaAfter(schema, revision);
  return schema;
}
