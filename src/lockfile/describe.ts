import type { LockedTables } from "./lock.ts";
import type { StatementLock } from "./statement-lock.ts";

/** Characters that a statement shows unless it is asked for whole. */
const statementLimit = 100;

/** @returns A statement in one line. */
export function flat(statement: string): string {
  return statement.replaceAll(/\s+/g, " ").trim();
}

/** @returns A statement in one line, at most as long as a plan shows. */
export function shortened(statement: string): string {
  const text = flat(statement);
  return text.length > statementLimit ? `${text.slice(0, statementLimit - 1)}…` : text;
}

const verbs = { created: "creates", altered: "alters", dropped: "drops" } as const;

/** @returns What an upgrade does to tables, as phrases such as `creates users, roles`; none if it touches no table. */
export function tableChanges(tables: LockedTables | null): string[] {
  if (tables === null) return ["tables not known"];
  return (Object.keys(verbs) as (keyof typeof verbs)[]).flatMap((verb) =>
    tables[verb].length > 0 ? [`${verbs[verb]} ${tables[verb].join(", ")}`] : [],
  );
}

/** @returns What locks keep others from doing: one phrase for all tables that are locked in the same mode. */
export function describeLocks(locks: readonly StatementLock[]): string[] {
  const known = locks.flatMap((lock) => (lock.mode === null || lock.blocks === "nothing" ? [] : [lock]));
  const phrases = [...Map.groupBy(known, ({ mode }) => mode)].map(
    ([mode, [first, ...others]]) =>
      `blocks ${first?.blocks} of ${[...new Set([first, ...others].map((lock) => lock?.table))].join(", ")} (${mode})`,
  );
  return [...phrases, ...locks.flatMap((lock) => (lock.mode === null ? [`locks not known: ${lock.reason}`] : []))];
}
