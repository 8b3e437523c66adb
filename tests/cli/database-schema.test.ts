import assert from "node:assert/strict";
import { applyChanges, compareSchemas, describeChange } from "../../src/lockfile/database-schema/changes.ts";
import { type DatabaseSchema, schemaDigest } from "../../src/lockfile/database-schema/database-schema.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { shortTitle } from "../support/titles.ts";
import { everyObject, mutations, schemaAfter, schemaIn, schemasAfter } from "./live-schema.ts";
import { alembicPython } from "./unity.ts";

describe("the schema query", () => {
  let postgres: Postgres;
  let python: string;
  let schema: DatabaseSchema;
  before(async () => {
    [postgres, python] = await Promise.all([startPostgres(), alembicPython()]);
  });
  after(() => postgres?.stop());

  const schemaOf = (database: string, statements: readonly string[]) =>
    schemaAfter(python, postgres.url.replace(/[^/]+$/, database), statements);

  it("returns each kind of object", () => {
    schemaOf("postgres", ["CREATE DATABASE every"]);
    schema = schemaOf("every", everyObject);
    const kinds = Object.entries(schema).map(([kind, objects]) => [kind, Object.keys(objects)]);
    assert.deepEqual(Object.fromEntries(kinds), {
      extensions: ["citext"],
      schemas: ["apart", "public"],
      enums: ["public.mood"],
      domains: ["public.positive", "public.word"],
      composites: ["public.place"],
      ranges: ["public.span"],
      sequences: ["public.numbers", "public.users_number_seq"],
      tables: [
        ...['apart."odd.name"', "public.alembic_version", "public.base", "public.cache", "public.derived"],
        ...["public.line", "public.line_1", "public.of_line", "public.users"],
      ],
      views: ["public.ages", "public.names"],
      functions: [
        ...["apart.touch()", "public.nothing(text)", "public.on_ddl()", "public.plus(integer, integer)"],
        "public.total(integer)",
      ],
      eventTriggers: ["watch"],
    });
    assert.deepEqual(schema.schemas, {
      apart: { grants: { schema_reader: ["USAGE"] }, comment: "other objects" },
      public: {},
    });
    assert.deepEqual(schema.enums["public.mood"]?.grants, { PUBLIC: [] });
    assert.deepEqual(schema.tables["public.users"]?.columns?.name, {
      type: "character varying(40)",
      notNull: true,
      default: "'no one'::character varying",
      collation: 'pg_catalog."C"',
      grants: { PUBLIC: ["UPDATE"] },
    });
    assert.deepEqual(schema.tables["public.line_1"], {
      kind: "table",
      partition: "FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
      inherits: ["public.line"],
      columns: { at: { type: "date", notNull: true }, id: { type: "bigint", notNull: true } },
    });
  });

  describe("shows a change:", () => {
    let after: ReturnType<typeof schemasAfter>;
    before(() => {
      after = schemasAfter(
        python,
        postgres.url.replace(/[^/]+$/, "every"),
        mutations.map(([change]) => [change]),
      );
    });
    for (const [index, [change, found]] of mutations.entries()) {
      it(shortTitle(change), () => {
        const changed = schemaIn(after[index]);
        const changes = compareSchemas(schema, changed);
        assert.ok(
          changes.some((each) => found.test(describeChange(each))),
          changes.map(describeChange).join("\n"),
        );
        assert.equal(schemaDigest(applyChanges(schema, changes)), schemaDigest(changed));
      });
    }
  });

  it("takes no longer for each of 500 tables than for each of 50", () => {
    const tables = Array.from(
      { length: 500 },
      (_, index) =>
        `CREATE TABLE t${index} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text NOT NULL DEFAULT 'x',
          b integer CHECK (b > 0), c timestamptz DEFAULT now(), d bigint REFERENCES t${Math.max(0, index - 1)} (id),
          UNIQUE (a, b)); CREATE INDEX ON t${index} (lower(a)) WHERE b > 3`,
    );
    schemaOf("postgres", ["CREATE DATABASE many", "CREATE DATABASE few"]);
    assert.equal(Object.keys(schemaOf("many", tables).tables).length, 500);
    assert.equal(Object.keys(schemaOf("few", tables.slice(0, 50)).tables).length, 50);
    const best = { many: Number.POSITIVE_INFINITY, few: Number.POSITIVE_INFINITY }; // with Python's start
    for (let runs = 0; runs < 5; runs += 1)
      for (const database of ["many", "few"] as const) {
        const started = performance.now();
        schemaOf(database, []);
        best[database] = Math.min(best[database], performance.now() - started);
      }
    assert.ok(best.many < 10 * best.few, JSON.stringify(best));
  });
});
