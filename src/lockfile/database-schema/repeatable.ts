/** A name in SQL of one or two parts. */
const name = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?`;

/** Forms of statements that PostgreSQL can make only if they are not in effect, with the words that say so. */
const conditions: readonly (readonly [form: RegExp, conditional: string])[] = [
  [
    /^(CREATE (?:UNLOGGED )?(?:TABLE|SEQUENCE)|CREATE (?:SCHEMA|EXTENSION|MATERIALIZED VIEW|STATISTICS)) /,
    "$1 IF NOT EXISTS ",
  ],
  [/^(CREATE (?:UNIQUE )?INDEX) /, "$1 IF NOT EXISTS "],
  [/^(ALTER TABLE .*? ADD COLUMN) (?!IF )/, "$1 IF NOT EXISTS "],
  [/^(ALTER TYPE .*? ADD VALUE) /, "$1 IF NOT EXISTS "],
  [/^CREATE (VIEW|RULE|AGGREGATE) /, "CREATE OR REPLACE $1 "],
  [/^(ALTER (?:TABLE|DOMAIN) .*? DROP (?:CONSTRAINT|COLUMN)|ALTER TYPE .*? DROP ATTRIBUTE) (?!IF )/, "$1 IF EXISTS "],
  [/^(ALTER TABLE .*? DROP (?:IDENTITY|EXPRESSION))$/, "$1 IF EXISTS"],
  [/^(DROP (?:MATERIALIZED VIEW|EVENT TRIGGER|FOREIGN TABLE|[A-Z]+)) /, "$1 IF EXISTS "],
];

/** Forms that have none, with the statement that removes what is in effect. */
const removals: readonly (readonly [form: RegExp, removal: string])[] = [
  [
    new RegExp(`^(ALTER (?:TABLE|DOMAIN) ${name}) ADD CONSTRAINT ("(?:[^"]|"")+"|\\S+) .*`, "s"),
    "$1 DROP CONSTRAINT IF EXISTS $2",
  ],
  [new RegExp(`^CREATE POLICY (${name} ON ${name}).*`, "s"), "DROP POLICY IF EXISTS $1"],
  [new RegExp(`^CREATE (?:CONSTRAINT )?TRIGGER (${name}) .*? ON (${name}) .*`, "s"), "DROP TRIGGER IF EXISTS $1 ON $2"],
  [new RegExp(`^CREATE EVENT TRIGGER (${name}) .*`, "s"), "DROP EVENT TRIGGER IF EXISTS $1"],
];

/** Forms whose failure is that they are in effect. */
const guarded =
  /^(?:CREATE (?:TYPE|DOMAIN) |ALTER TYPE .* (?:RENAME|ADD ATTRIBUTE) |ALTER TABLE .* (?:ATTACH|DETACH) PARTITION |ALTER TABLE .* (?:NO )?INHERIT |ALTER TABLE .* ADD GENERATED )/;

const errors = [
  ...["duplicate_object", "duplicate_table", "duplicate_column", "undefined_table", "undefined_column"],
  ...["invalid_parameter_value", "wrong_object_type", "object_not_in_prerequisite_state"],
].join(" OR ");

/**
 * Returns statements that have the same effect, and none where they are in effect already, for a revision that runs on databases
 * with and without a change.
 *
 * @param sql - Statements of `schemaStatements`.
 */
export function repeatable(sql: readonly string[]): string[] {
  return sql.flatMap((statement) => {
    for (const [form, conditional] of conditions) {
      if (form.test(statement)) return [statement.replace(form, conditional)];
    }
    for (const [form, removal] of removals) {
      if (form.test(statement)) return [statement.replace(form, removal), statement];
    }
    if (!guarded.test(statement)) return [statement];
    return [`DO $drift$ BEGIN\n  ${statement};\nEXCEPTION WHEN ${errors} THEN NULL;\nEND $drift$`];
  });
}
