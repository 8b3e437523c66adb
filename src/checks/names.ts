/** The checks, in the order in which people read them. */
export const checkNames = [
  "revision",
  "pods",
  "health",
  "plugins",
  "tables",
  "schema",
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

/** Those that look at Unity's own API. */
const ofUnity: readonly CheckName[] = ["health", "plugins", "execution"];

/** The checks that hold for any app with a chain of Alembic revisions. */
export const generalChecks: readonly CheckName[] = checkNames.filter((name) => !ofUnity.includes(name));
