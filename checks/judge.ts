import type { Expected, Finding } from "./result.ts";

/** Characters of a program's output that a finding repeats: the rest is for the person who runs the command. */
const outputLimit = 500;

function shortened(output: string): string {
  const text = output.trim().replaceAll(/\s+/g, " ");
  return text.length > outputLimit ? `${text.slice(0, outputLimit)}…` : text;
}

/** @returns The value that JSON text holds; `undefined` if it is none. */
function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

/** @returns The field of an object; `undefined` if `value` is none. */
function field(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" ? Reflect.get(value, name) : undefined;
}

/** @returns The texts of a list; none if it is no list. */
function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Judges the rows of `alembic_version`; `null` if there is no such table. */
export function judgeRevision(answer: unknown, { head, toleratedRevisions }: Expected): Finding {
  const rows = texts(answer);
  const [row = ""] = rows;
  const tolerated = toleratedRevisions.includes(row);
  return {
    passed: rows.length === 1 && (row === head || tolerated),
    expected: `${head}, in one row${toleratedRevisions.length > 0 ? `; tolerated: ${toleratedRevisions.join(", ")}` : ""}`,
    found: shortened(rows.join(", ")) || "no row",
  };
}

/** Judges what `/health` answered. */
export function judgeHealth(output: string): Finding {
  const answer = parsed(output);
  const database = field(field(answer, "components"), "database");
  const passed = field(answer, "status") === "healthy" && field(database, "status") === "healthy";
  return { passed, expected: "status healthy, component database healthy", found: shortened(output) || "no answer" };
}

/** Judges what `/api/plugins` answered. */
export function judgePlugins(output: string): Finding {
  const answer = parsed(output);
  const found = Array.isArray(answer) ? `a list of ${answer.length}` : shortened(output) || "no answer";
  return { passed: Array.isArray(answer), expected: "a JSON list", found };
}

/** Judges a list of tables. */
export function judgeTables(answer: unknown, { tables }: Expected): Finding {
  const present = new Set(texts(answer));
  const missing = tables.filter((table) => !present.has(table));
  const found = missing.length === 0 ? `all ${tables.length}` : `missing: ${missing.join(", ")}`;
  return { passed: missing.length === 0, expected: `${tables.length} tables of the chain`, found };
}
