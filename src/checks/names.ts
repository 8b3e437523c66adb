/** Names of the checks in the order of their results. */
export const checkNames = [
  "revision",
  "pods",
  "health",
  "plugins",
  "tables",
  "schema",
  "drift",
  "indexes",
  "constraints",
  "privileges",
  "reversible",
  "image",
  "database-host",
  "logs",
  "execution",
] as const;

/** Name of a check. */
export type CheckName = (typeof checkNames)[number];

/** Checks of Unity's own API. */
const unityChecks: readonly CheckName[] = ["health", "plugins", "execution"];

/** Checks for any app with a chain of Alembic revisions. */
export const generalChecks: readonly CheckName[] = checkNames.filter((name) => !unityChecks.includes(name));
