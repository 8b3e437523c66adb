import assert from "node:assert/strict";
import { incompatibilities } from "../../src/lockfile/database-schema/compatibility.ts";
import { type Column, type DatabaseSchema, emptySchema } from "../../src/lockfile/database-schema/database-schema.ts";

/** Returns a schema whose one table has these columns. */
function schemaWith(columns: Readonly<Record<string, Column>>): DatabaseSchema {
  return { ...emptySchema, tables: { "public.users": { kind: "table", columns } } };
}

const reasons = (from: DatabaseSchema, to: DatabaseSchema) =>
  incompatibilities(from, to, () => []).map(({ reason }) => reason.split(" ")[0]);

describe("incompatibilities", () => {
  for (const name of ["comment", "grants", "columns"]) {
    it(`contain the change of a column with the name ${name}`, () => {
      const before = schemaWith({ id: { type: "bigint" }, [name]: { type: "int" } });
      assert.deepEqual(reasons(before, schemaWith({ id: { type: "bigint" } })), ["drops"]);
      assert.deepEqual(reasons(before, schemaWith({ id: { type: "bigint" }, [name]: { type: "interval" } })), [
        "changes",
      ]);
    });
  }

  it("don't contain comments, or further privileges on a column", () => {
    const column = { type: "text", grants: { reader: ["SELECT"] } };
    const more = { type: "text", comment: "words", grants: { reader: ["INSERT", "SELECT"] } };
    assert.deepEqual(reasons(schemaWith({ name: column }), schemaWith({ name: more })), []);
    assert.deepEqual(reasons(schemaWith({ name: more }), schemaWith({ name: column })), ["revokes"]);
  });
});
