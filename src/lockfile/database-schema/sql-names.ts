import type { Parse } from "../sql-parser.ts";
import { quoteName } from "../version-table.ts";

/** Writes names as PostgreSQL's `quote_ident` does: in quotes only where they are needed. */
export interface SqlNames {
  /** A name of one part. */
  readonly one: (name: string) => string;
  /** A key of a schema, such as `public.users`; that of a function with its argument types. */
  readonly key: (key: string) => string;
}

const keyParts = /^("(?:[^"]|"")*"|[^.]*)\.("(?:[^"]|"")*"|[^(]*)(.*)$/s;

/**
 * Returns how to write names.
 *
 * @param parse - Decides which words are reserved: those that can't name a table or a function.
 */
export function sqlNames(parse: Parse): SqlNames {
  const known = new Map<string, string>();
  const isPlain = (name: string) =>
    /^[a-z_][a-z0-9_]*$/.test(name) &&
    !("error" in parse(`CREATE TABLE ${name} (); CREATE FUNCTION ${name}() RETURNS int LANGUAGE sql AS ''`));
  const one = (name: string) => {
    const written = known.get(name) ?? (isPlain(name) ? name : quoteName(name));
    known.set(name, written);
    return written;
  };
  const part = (text: string) => (text.startsWith('"') ? text : one(text));
  const key = (text: string) => {
    const [, space = "", name = "", rest = ""] = keyParts.exec(text) ?? [];
    return `${part(space)}.${part(name)}${rest}`;
  };
  return { one, key };
}

/** Returns the name of a table, `schema.name`, in quotes. */
export function quoteTable(key: string): string {
  return partsOfKey(key).map(quoteName).join(".");
}

/** Returns the schema of a key, and its name, without quotes. */
export function partsOfKey(key: string): readonly [schema: string, name: string] {
  const [, space = "", name = ""] = keyParts.exec(key) ?? [];
  return [unquoted(space), unquoted(name)];
}

function unquoted(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}

const qualified = /("(?:[^"]|"")+"|[a-z_][\w$]*)\.("(?:[^"]|"")+"|[a-z_][\w$]*)/g;

/** Returns the qualified names in SQL, as they are written there, also within literals such as `'public.ids'::regclass`. */
export function namesIn(sql: string): Set<string> {
  return new Set(Array.from(sql.matchAll(qualified), ([name]) => name));
}

/** Returns the words of SQL, without quotes. */
export function wordsIn(sql: string): Set<string> {
  return new Set(Array.from(sql.matchAll(/"((?:[^"]|"")+)"|[A-Za-z_][\w$]*/g), ([word, inner]) => inner ?? word));
}
