import { isDeepStrictEqual } from "node:util";
import { findAll, type Parse } from "../sql-parser.ts";

/**
 * Whether two definitions differ only in what PostgreSQL's major versions print in other words: parentheses, spaces, and the
 * table of a column where it is the only one.
 */
export function sameExpression(one: string, other: string, parse: Parse): boolean {
  const [left, right] = [treeOf(one, parse), treeOf(other, parse)];
  return left !== null && isDeepStrictEqual(left, right);
}

function treeOf(definition: string, parse: Parse): unknown {
  for (const text of [
    definition,
    `SELECT ${definition.replace(/ (?:STORED|VIRTUAL)$/, "")}`,
    `ALTER TABLE t ADD ${definition}`,
  ]) {
    const parsed = parse(text);
    if ("error" in parsed) continue;
    return plain(parsed, findAll(parsed, "RangeVar").length === 1);
  }
  return null;
}

/** Returns a parse tree without places in the text and, in a query of one table, without its name in columns. */
function plain(tree: unknown, isOnly: boolean): unknown {
  if (Array.isArray(tree)) return tree.map((each) => plain(each, isOnly));
  if (typeof tree !== "object" || tree === null) return tree;
  const entries = Object.entries(tree).filter(([key]) => !/location$/.test(key));
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      isOnly && key === "ColumnRef" ? plain({ fields: value.fields?.slice(-1) }, isOnly) : plain(value, isOnly),
    ]),
  );
}
