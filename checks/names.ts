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
