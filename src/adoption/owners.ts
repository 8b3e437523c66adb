import { type LiveObject, type LiveObjects, ownerOf } from "../cluster/objects.ts";
import { names, serviceAccounts } from "../manifests/names.ts";
import type { Settings } from "../settings/settings.ts";

/** Existing object that another stack owns. */
export interface ForeignObject {
  /** Kind and name as kubectl takes them: `deployment/unity-backend`. */
  readonly object: string;
  /** The stack that owns it, as `project/stack`. */
  readonly owner: string;
}

/** Parts of a stack's settings that determine what it declares, and whose objects it adopts. */
export interface Ownership {
  /** Whether the stack has its own PostgreSQL. */
  readonly owned: boolean;
  /**
   * Whether the stack has a volume for restore points.
   *
   * @defaultValue false
   */
  readonly hasRestorePoints?: boolean;
  /**
   * Whether the database's Secret exists already, so that the stack doesn't declare it.
   *
   * @defaultValue false
   */
  readonly hasExistingSecret?: boolean;
  /**
   * The stack's project and name, as `project/stack`.
   *
   * @defaultValue objects of any stack are the stack's own
   */
  readonly owner?: string | undefined;
  /**
   * Owner whose objects the stack adopts.
   *
   * @defaultValue none
   */
  readonly adoptFrom?: string | undefined;
  /**
   * Parts of the existing pods that the stack doesn't preserve.
   *
   * @defaultValue none
   */
  readonly adoptWithout?: readonly string[];
}

/** Returns what a stack declares, and whose objects it adopts. */
export function ownership(settings: Settings): Ownership {
  const { owner, adoptFrom, adoptWithout, database, restorePoint, databaseSecrets } = settings;
  return {
    owner,
    adoptFrom,
    adoptWithout,
    owned: database.kind === "owned",
    hasRestorePoints: restorePoint !== undefined,
    hasExistingSecret: databaseSecrets.existing,
  };
}

/**
 * Returns the live objects that the stack would declare and another stack owns. Those of an earlier version have no owner.
 * Migration Jobs are not among them: their names are derived from their content, so that none is overwritten.
 */
export function foreignObjects(live: LiveObjects, wanted: Ownership): readonly ForeignObject[] {
  const { owner: own, owned, hasRestorePoints = false, hasExistingSecret = false } = wanted;
  if (own === undefined) return [];
  const isDeclared = ({ kind, metadata }: LiveObject) =>
    kind === "PersistentVolumeClaim" ? hasRestorePoints : owned || metadata.name !== serviceAccounts.postgres;
  const objects = [live.backend, live.service, ...live.others.filter(isDeclared)];
  if (owned) objects.push(...live.postgres);
  const foreign: ForeignObject[] = [];
  const add = (object: string, owner: string | undefined) => {
    if (owner !== undefined && owner !== own) foreign.push({ object, owner });
  };
  for (const object of objects)
    if (object !== undefined) add(`${object.kind.toLowerCase()}/${object.metadata.name}`, ownerOf(object));
  if (!hasExistingSecret) add(`secret/${names.databaseSecret}`, live.secret?.owner);
  return foreign;
}

/** Objects that a message names; the rest is counted. */
const namedObjects = 3;

/** Rejects the objects of other owners: both stacks would change them, and the destruction of either would delete them. */
export function ownerRejections(
  foreign: readonly ForeignObject[],
  { owner: own, adoptFrom }: Ownership,
  namespace: string,
): readonly string[] {
  const byOwner = Object.groupBy(foreign, ({ owner }) => owner);
  return Object.entries(byOwner).flatMap(([owner, objects = []]) => {
    if (owner === adoptFrom) return [];
    const shown = objects.slice(0, namedObjects).map(({ object }) => object);
    const more = objects.length - shown.length;
    if (more > 0) shown.push(`${more} more`);
    return (
      `Stack ${owner} owns resources of namespace ${namespace} that stack ${own} would overwrite: ${shown.join(", ")}. ` +
      "To deploy to another namespace, run: pulumi config set namespace <name>. " +
      `To adopt them instead, run: pulumi config set adoptFrom ${owner} (see docs/how-to/adopt.md)`
    );
  });
}
