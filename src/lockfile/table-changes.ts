import type { LockedTables } from "./lock.ts";

const verbs = { created: "creates", altered: "alters", dropped: "drops" } as const;

/** @returns What an upgrade does to tables, as phrases such as `creates users, roles`; none if it touches no table. */
export function tableChanges(tables: LockedTables | null): string[] {
  if (tables === null) return ["tables not known"];
  return (Object.keys(verbs) as (keyof typeof verbs)[]).flatMap((verb) =>
    tables[verb].length > 0 ? [`${verbs[verb]} ${tables[verb].join(", ")}`] : [],
  );
}
