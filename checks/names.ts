/** The checks, in the order in which people read them. */
export const checkNames = ["revision", "pods", "health", "plugins", "tables"] as const;

/** Name of a check. */
export type CheckName = (typeof checkNames)[number];
