import assert from "node:assert/strict";
import { compareSchemas, describeChange } from "../../src/lockfile/database-schema/changes.ts";
import type { DatabaseSchema } from "../../src/lockfile/database-schema/database-schema.ts";
import { driftOf } from "../../src/lockfile/database-schema/drift.ts";
import { type SchemaStatements, schemaStatements } from "../../src/lockfile/database-schema/schema-statements.ts";
import type { Parse } from "../../src/lockfile/sql-parser.ts";
import { openParser } from "../../src/lockfile/sql-parser.ts";
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
    /** The schema after each change, and the statements that undo and that make it, with the schemas after these. */
    const all = mutations.map(() => ({}) as { changed: DatabaseSchema; undo: Case; redo: Case });
    interface Case {
      readonly statements: SchemaStatements;
      readonly after: Outcome | undefined;
    }
    before(() => {
      const run = (runs: readonly (readonly string[])[]) => schemasAfter(python, postgres.url, runs);
      const changed = run(mutations.map(([change]) => [change])).map(schemaIn);
      const undo = changed.map((schema) => schemaStatements(schema, original, parse));
      const redo = changed.map((schema) => schemaStatements(original, schema, parse));
      const undone = run(mutations.map(([change], index) => [change, ...(undo[index]?.sql ?? [])]));
      const redone = run(redo.map(({ sql }) => sql));
      for (const [index, each] of all.entries()) {
        const [schema, back, forth] = [changed[index], undo[index], redo[index]];
        if (!schema || !back || !forth) throw new Error();
        const cases = {
          undo: { statements: back, after: undone[index] },
          redo: { statements: forth, after: redone[index] },
        };
        Object.assign(each, { changed: schema, ...cases });
      }
    });
    const leadsTo = ({ statements: { sql, manual }, after }: Case, schema: DatabaseSchema) => {
      assert.deepEqual(manual, []);
      assert.deepEqual(differences(schemaIn(after), schema), [], sql.join(";\n"));
    };
    for (const [index, each] of all.entries()) {
      it(shortTitle(mutations[index]?.[0] ?? ""), () => {
        const change = mutations[index]?.[0] ?? "";
        const versions = { expected: "15", live: "15" };
        const rules = { versionTable: defaultVersionTable, ignore: [], versions, parse };
        const { missing, extra, different } = driftOf(each.changed, original, rules);
        assert.equal(missing.length + extra.length + different.length > 0, !change.startsWith("REFRESH"));
        leadsTo(each.undo, original);
        leadsTo(each.redo, each.changed);
      });
    }
  });
});
