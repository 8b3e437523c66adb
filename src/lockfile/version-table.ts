/** The table in which Alembic keeps the database's revisions, by the arguments of env.py to `context.configure`. */
export interface VersionTable {
  /** `version_table_schema`; `null` if it is where the search path of env.py's session leads. */
  readonly schema: string | null;
  /** `version_table`. */
  readonly name: string;
}

/** The table of an env.py that names none. */
export const defaultVersionTable: VersionTable = { schema: null, name: "alembic_version" };

/** Returns the name of the table in SQL. */
export function versionTableName({ schema, name }: VersionTable): string {
  return schema === null ? identifier(name) : `${identifier(schema)}.${identifier(name)}`;
}

/** Returns a SQL identifier, in quotes if PostgreSQL would read it as another name without. */
function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name);
}

/** Returns a name in quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns a SQL string literal, whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}
