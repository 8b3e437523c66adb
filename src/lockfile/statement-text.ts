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
