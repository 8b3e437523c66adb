import assert from "node:assert/strict";
import { describeChange } from "../../src/lockfile/database-schema/changes.ts";
import { type DatabaseSchema, emptySchema, type Table } from "../../src/lockfile/database-schema/database-schema.ts";
import { schemaStatements } from "../../src/lockfile/database-schema/schema-statements.ts";
import { namesIn, sqlNames } from "../../src/lockfile/database-schema/sql-names.ts";
import { openParser, type Parse } from "../../src/lockfile/sql-parser.ts";

describe("statements of a schema", () => {
  let parse: Parse;
  before(async () => {
    parse = await openParser();
  });

  const withTable = (table: Table): DatabaseSchema => ({ ...emptySchema, tables: { "public.t": table } });
  const columns = { id: { type: "bigint", notNull: true } } as const;

  it("quote names only where PostgreSQL does", () => {
    const { one, key } = sqlNames(parse);
    const written = ["users", "user", "Users", 'odd"one', "year", "values", "left", "2nd"].map(one);
    assert.deepEqual(written, ["users", '"user"', '"Users"', '"odd""one"', "year", '"values"', '"left"', '"2nd"']);
    assert.equal(key("public.order"), 'public."order"');
    assert.equal(key('"a.b"."c.d"'), '"a.b"."c.d"');
    assert.equal(key("public.Plus(integer, a.b)"), 'public."Plus"(integer, a.b)');
  });

  it("find the names in a definition", () => {
    const sql = `SELECT public.f(a.b) FROM apart."odd.name" WHERE x = nextval('public.ids'::regclass)`;
    assert.deepEqual([...namesIn(sql)], ["public.f", "a.b", 'apart."odd.name"', "public.ids"]);
  });

  it("are none between equal schemas", () => {
    const schema = withTable({ kind: "table", columns });
    assert.deepEqual(schemaStatements(schema, schema, parse), { sql: [], manual: [] });
  });

  it("drop foreign keys before tables and add them after", () => {
    const key = {
      type: "foreign key",
      definition: "FOREIGN KEY (id) REFERENCES public.b(id)",
      references: "public.b",
    } as const;
    const both: DatabaseSchema = {
      ...emptySchema,
      tables: {
        "public.a": { kind: "table", columns, constraints: { fk: key } },
        "public.b": { kind: "table", columns },
      },
    };
    const { sql } = schemaStatements(emptySchema, both, parse);
    assert.deepEqual(sql, [
      "CREATE TABLE public.a (\n  id bigint NOT NULL\n)",
      "CREATE TABLE public.b (\n  id bigint NOT NULL\n)",
      "ALTER TABLE public.a ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES public.b(id)",
    ]);
  });

  it("leave to the user what PostgreSQL has no statement for", () => {
    const table: Table = { kind: "table", columns };
    const cases: readonly (readonly [DatabaseSchema, DatabaseSchema, string])[] = [
      [withTable(table), withTable({ ...table, kind: "partitioned table", partitionKey: "RANGE (id)" }), "kind"],
      [withTable(table), withTable({ ...table, replicaIdentity: "index" }), "replicaIdentity"],
      [
        { ...emptySchema, enums: { "public.e": { labels: ["a", "b"] } } },
        { ...emptySchema, enums: { "public.e": { labels: ["b"], comment: "x" } } },
        "labels",
      ],
      [
        { ...emptySchema, domains: { "public.d": { type: "text" } } },
        { ...emptySchema, domains: { "public.d": { type: "bigint", notNull: true } } },
        "type",
      ],
    ];
    for (const [from, to, property] of cases) {
      const { manual } = schemaStatements(from, to, parse);
      assert.equal(manual[0]?.path[0], property);
      assert.ok(manual.every(({ path }) => path[0] !== "comment" && path[0] !== "notNull"));
    }
    const foreign = schemaStatements(emptySchema, withTable({ kind: "foreign table", server: "s", columns }), parse);
    assert.deepEqual(foreign.manual.map(describeChange), ["+ table public.t"]);
  });

  it("keep the rows of a column whose type changes", () => {
    const text = { ...columns, name: { type: "character varying(40)", default: "'x'::character varying" } };
    const { sql } = schemaStatements(
      withTable({ kind: "table", columns: text }),
      withTable({ kind: "table", columns: { ...columns, name: { type: "text", default: "'x'::text" } } }),
      parse,
    );
    assert.deepEqual(sql, [
      "ALTER TABLE public.t ALTER COLUMN name DROP DEFAULT",
      "ALTER TABLE public.t ALTER COLUMN name TYPE text USING name::text",
      "ALTER TABLE public.t ALTER COLUMN name SET DEFAULT 'x'::text",
    ]);
  });

  it("add labels of an enumeration in their places", () => {
    const schema = (...labels: string[]) => ({ ...emptySchema, enums: { "public.e": { labels } } });
    assert.deepEqual(schemaStatements(schema("b", "d"), schema("a", "b", "c", "d", "e"), parse).sql, [
      "ALTER TYPE public.e ADD VALUE 'a' BEFORE 'b'",
      "ALTER TYPE public.e ADD VALUE 'c' AFTER 'b'",
      "ALTER TYPE public.e ADD VALUE 'e' AFTER 'd'",
    ]);
  });

  it("of 500 tables take at most two seconds of the processor", () => {
    const many = Array.from({ length: 500 }, (_, index) => [
      `public.t${index}`,
      {
        kind: "table",
        columns: { ...columns, a: { type: "text", default: "'x'::text" } },
        constraints: { [`t${index}_pkey`]: { type: "primary key", definition: "PRIMARY KEY (id)" } },
        indexes: {
          [`i${index}`]: { definition: `CREATE INDEX i${index} ON public.t${index} USING btree (a)`, columns: ["a"] },
        },
      },
    ]);
    const started = process.cpuUsage();
    const { sql } = schemaStatements(emptySchema, { ...emptySchema, tables: Object.fromEntries(many) }, parse);
    assert.equal(sql.length, 1500);
    const { user } = process.cpuUsage(started);
    assert.ok(user < 2_000_000, `${user} microseconds`);
  });
});
