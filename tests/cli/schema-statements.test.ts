import assert from "node:assert/strict";
import { compareSchemas, describeChange } from "../../src/lockfile/database-schema/changes.ts";
import type { DatabaseSchema } from "../../src/lockfile/database-schema/database-schema.ts";
import { driftOf } from "../../src/lockfile/database-schema/drift.ts";
import { repeatable } from "../../src/lockfile/database-schema/repeatable.ts";
import { schemaStatements } from "../../src/lockfile/database-schema/schema-statements.ts";
import { openParser, type Parse } from "../../src/lockfile/sql-parser.ts";
import { defaultVersionTable } from "../../src/lockfile/version-table.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { shortTitle } from "../support/titles.ts";
import { everyObject, mutations, type Outcome, schemaAfter, schemaIn, schemasAfter } from "./live-schema.ts";
import { alembicPython } from "./unity.ts";

describe("statements between two schemas", () => {
  let postgres: Postgres;
  let python: string;
  let parse: Parse;
  let original: DatabaseSchema;
  before(async () => {
    [postgres, python, parse] = await Promise.all([startPostgres(), alembicPython(), openParser()]);
    original = schemaAfter(python, postgres.url, everyObject);
  });
  after(() => postgres?.stop());

  // The order of columns in statistics is that of the table, and a column that is added again is the last.
  const differences = (from: DatabaseSchema, to: DatabaseSchema) =>
    compareSchemas(from, to)
      .filter(({ kind, path }) => kind !== "changed" || path[0] !== "statistics")
      .map(describeChange);

  it("create and drop all objects", () => {
    schemaAfter(python, postgres.url, ["CREATE DATABASE empty"]);
    const inEmpty = (statements: readonly string[]) =>
      schemaAfter(python, postgres.url.replace(/[^/]+$/, "empty"), statements);
    const empty = inEmpty([]);
    const { sql, manual } = schemaStatements(empty, original, parse);
    assert.deepEqual(manual, []);
    assert.deepEqual(differences(inEmpty(sql), original), []);
    const drops = schemaStatements(original, empty, parse);
    assert.deepEqual(differences(inEmpty(drops.sql), empty), [], drops.sql.join(";\n"));
  });

  describe("undo and make a change, which is drift:", () => {
    let changed: DatabaseSchema[];
    /** Schemas after the statements that undo each change, that make it, and that make it again with and without it. */
    let outcomes: { readonly [name in "undone" | "made" | "repeatable" | "repeated"]: readonly Outcome[] };
    const manual: unknown[] = [];
    before(function () {
      this.timeout(180_000);
      const run = (statements: (change: string, schema: DatabaseSchema) => readonly string[]) =>
        schemasAfter(
          ...[python, postgres.url],
          mutations.map(([change], index) => statements(change, changed[index] ?? original)),
        );
      const between = (from: DatabaseSchema, to: DatabaseSchema) => {
        const statements = schemaStatements(from, to, parse);
        manual.push(...statements.manual);
        return statements.sql;
      };
      changed = [];
      changed = run((change) => [change]).map(schemaIn);
      outcomes = {
        undone: run((change, schema) => [change, ...between(schema, original)]),
        made: run((_, schema) => between(original, schema)),
        repeatable: run((_, schema) => repeatable(between(original, schema))),
        repeated: run((change, schema) => [change, ...repeatable(between(original, schema))]),
      };
    });
    for (const [index, [change]] of mutations.entries()) {
      it(shortTitle(change), () => {
        const schema = changed[index] ?? assert.fail();
        const rules = { versionTable: defaultVersionTable, ignore: [] };
        const { missing, extra, different } = driftOf(schema, original, rules);
        // Whether a view has rows is not drift.
        assert.equal(missing.length + extra.length + different.length > 0, !change.startsWith("REFRESH"));
        assert.deepEqual(differences(schemaIn(outcomes.undone[index]), original), []);
        // A function is created again, so what depends on it must not be there before.
        const names = change.startsWith("DROP FUNCTION") ? [] : (["repeated"] as const);
        for (const name of ["made", "repeatable", ...names] as const)
          assert.deepEqual(differences(schemaIn(outcomes[name][index]), schema), [], name);
        assert.deepEqual(manual, []);
      });
    }
  });
});
