/** How pending revisions are applied: by the migrate Job, or by Alembic in the backend's pod. */
export const methods = ["job", "exec"] as const;

/** One of {@link methods}. */
export type Method = (typeof methods)[number];
