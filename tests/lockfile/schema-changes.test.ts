import assert from "node:assert/strict";
import {
  applyChanges,
  compareSchemas,
  describeChange,
  reverseChanges,
} from "../../src/lockfile/database-schema/changes.ts";
import {
  type DatabaseSchema,
  emptySchema,
  schemaDigest,
  withoutVersionTable,
} from "../../src/lockfile/database-schema/database-schema.ts";

const before: DatabaseSchema = {
  ...emptySchema,
  enums: { "public.mood": { labels: ["good"] } },
  tables: {
    "public.old": { kind: "table", columns: { id: { type: "bigint" } } },
    "public.users": {
      kind: "table",
      columns: { id: { type: "bigint", notNull: true }, name: { type: "character varying(40)", default: "'x'::text" } },
      indexes: { ix: { definition: "CREATE INDEX ix ON public.users USING btree (name)", columns: ["name"] } },
      grants: { reader: ["SELECT"] },
    },
  },
};
const after: DatabaseSchema = {
  ...emptySchema,
  enums: { "public.mood": { labels: ["good", "bad"] } },
  tables: {
    "public.new": { kind: "table", columns: { id: { type: "bigint" } } },
    "public.users": {
      kind: "table",
      comment: "people",
      columns: {
        id: { type: "bigint", notNull: true, comment: "key" },
        name: { type: "text" },
        age: { type: "integer" },
      },
      constraints: { ck: { type: "check", definition: "CHECK ((age > 0))", columns: ["age"] } },
      grants: { reader: ["INSERT", "SELECT"], writer: ["INSERT"] },
    },
  },
};

describe("changes of a schema", () => {
  it("are found per object, part, and property", () => {
    assert.deepEqual(compareSchemas(before, after).map(describeChange), [
      '~ enum public.mood: labels ["good"] -> ["good","bad"]',
      "+ table public.new",
      "- table public.old",
      "+ column public.users.age: integer",
      "~ column public.users.id: comment none -> key",
      "~ column public.users.name: default 'x'::text -> none",
      "~ column public.users.name: type character varying(40) -> text",
      "~ table public.users: comment none -> people",
      "+ constraint public.users.ck: check",
      '~ grant on public.users to reader: ["SELECT"] -> ["INSERT","SELECT"]',
      "+ grant on public.users to writer",
      "- index public.users.ix: CREATE INDEX ix ON public.users USING btree (name)",
    ]);
  });

  it("contain the whole of what was added or removed", () => {
    const [, added, removed] = compareSchemas(before, after);
    const object = { kind: "tables", name: "public.new" };
    assert.deepEqual(added, { kind: "added", object, path: [], from: null, to: after.tables["public.new"] });
    assert.deepEqual([removed?.from, removed?.to], [before.tables["public.old"], null]);
  });

  it("lead from one schema to the other, and back", () => {
    const changes = compareSchemas(before, after);
    assert.deepEqual(applyChanges(before, changes), after);
    assert.deepEqual(applyChanges(after, reverseChanges(changes)), before);
    assert.deepEqual(compareSchemas(after, after), []);
  });

  it("don't depend on the order of keys, and neither does the digest", () => {
    const reordered = { ...after, tables: Object.fromEntries(Object.entries(after.tables).reverse()) };
    assert.deepEqual(compareSchemas(after, reordered), []);
    assert.equal(schemaDigest(reordered), schemaDigest(after));
    assert.notEqual(schemaDigest(before), schemaDigest(after));
  });
});

describe("a schema without the version table", () => {
  const columns = { version_num: { type: "character varying(32)" } };
  const tables: DatabaseSchema["tables"] = {
    "apart.versions": { kind: "table", columns },
    "apart.alembic_version": { kind: "table", columns: { ...columns, more: { type: "text" } } },
    "public.alembic_version": { kind: "table", columns },
  };
  const names = (schema: string | null, name: string) =>
    Object.keys(withoutVersionTable({ ...emptySchema, tables }, { schema, name }).tables);

  it("lacks the table of a known schema", () => {
    assert.deepEqual(names("apart", "versions"), ["apart.alembic_version", "public.alembic_version"]);
  });

  it("lacks, without a known schema, the tables of the name with its one column", () => {
    assert.deepEqual(names(null, "alembic_version"), ["apart.versions", "apart.alembic_version"]);
  });
});
