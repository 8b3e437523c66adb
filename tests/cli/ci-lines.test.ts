import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Places } from "../../src/cli/ci/remarks.ts";
import { allRules } from "../../src/cli/ci/rules.ts";
import { lockedRevision } from "../fixtures/chains/locks.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { TestRepository } from "../support/repository.ts";
import { alembicPython, unity } from "./unity.ts";

/** Follows the line that a finding must point at. */
const here = "# here";

/** The schema of the base. */
const base: readonly string[] = [
  'op.create_table("parent", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.Text), sa.Column("n", sa.Integer, server_default="1"))',
  'op.create_table("child", sa.Column("id", sa.BigInteger, nullable=False), sa.Column("note", sa.Text), sa.Column("m", sa.Integer))',
  'op.create_table("spare", sa.Column("id", sa.BigInteger, primary_key=True))',
  'op.create_index("ix_child_note", "child", ["note"])',
];

/** Upgrades for each rule on statements, in the forms in which revisions execute them. */
const statements: Readonly<Record<string, readonly string[]>> = {
  "ban-drop-column": ["pass", `op.drop_column( ${here}`, '    "child",', '    "note",', ")"],
  "ban-drop-table": ['for table in ["spare"]:', `    op.drop_table(table) ${here}`],
  "ban-drop-database": [`op.execute("DROP DATABASE d") ${here}`],
  "ban-drop-schema": [`op.execute( ${here}`, '    """', "    DROP SCHEMA s", '    """', ")"],
  "ban-drop-view": [`op.execute("DROP VIEW v") ${here}`],
  "ban-drop-sequence": [`op.get_bind().execute(sa.text("DROP SEQUENCE s")) ${here}`],
  "ban-drop-function": [`op.get_bind().execute(sa.DDL("DROP FUNCTION f()")) ${here}`],
  "ban-drop-extension": [`op.execute("DROP EXTENSION citext") ${here}`],
  "ban-truncate-cascade": [`op.execute("TRUNCATE parent CASCADE") ${here}`],
  "ban-set-schema": [`op.execute("ALTER TABLE child SET SCHEMA apart") ${here}`],
  "renaming-column": [
    'with op.batch_alter_table("parent") as batch:',
    '    batch.add_column(sa.Column("c", sa.Integer))',
    `    batch.alter_column( ${here}`,
    '        "name",',
    '        new_column_name="title",',
    "    )",
  ],
  "renaming-table": [`op.rename_table("parent", "elder") ${here}`],
  "changing-column-type": [
    'with op.batch_alter_table("parent") as batch:',
    `    batch.alter_column("n", type_=sa.String(5)) ${here}`,
    '    batch.create_index("ix_n", ["n"], postgresql_where=None)',
  ],
  "adding-required-field": [`op.add_column("child", sa.Column("r", sa.Integer, nullable=False)) ${here}`],
  "transaction-nesting": ['op.execute("SELECT 1")', `op.execute("COMMIT") ${here}`, 'op.execute("SELECT 2")'],
  "ban-concurrent-index-creation-in-transaction": [
    'columns = ["m"]',
    `op.create_index("ix_m", "child", columns, postgresql_concurrently=True) ${here}`,
  ],
  "ban-drop-type": [`op.execute("DROP TYPE mood") ${here}`],
  "ban-drop-domain": [`op.execute("DROP DOMAIN positive") ${here}`],
  "ban-drop-constraint": [`op.drop_constraint("ck", "child") ${here}`],
  "ban-drop-not-null": [`op.alter_column("child", "id", nullable=True) ${here}`],
  "ban-drop-default": [`op.alter_column("parent", "n", server_default=None) ${here}`],
  "renaming-object": [`op.execute("ALTER INDEX ix_child_note RENAME TO ix_other") ${here}`],
  "adding-not-nullable-field": [`op.alter_column("child", "m", nullable=False) ${here}`],
  "adding-field-with-default": [
    `op.add_column("child", sa.Column("u", sa.Uuid, server_default=sa.text("gen_random_uuid()"))) ${here}`,
  ],
  "adding-foreign-key-constraint": [`op.create_foreign_key("fk", "child", "parent", ["m"], ["id"]) ${here}`],
  "constraint-missing-not-valid": [`op.create_check_constraint("ck", "child", "m > 0") ${here}`],
  "disallowed-unique-constraint": [`op.create_unique_constraint("uq", "child", ["m"]) ${here}`],
  "adding-serial-primary-key-field": [`op.execute("ALTER TABLE child ADD COLUMN key serial PRIMARY KEY") ${here}`],
  "require-concurrent-index-creation": [`op.create_index("ix_m", "child", ["m"]) ${here}`],
  "require-concurrent-index-deletion": [`op.drop_index("ix_child_note") ${here}`],
  "require-concurrent-reindex": [`op.execute("REINDEX TABLE child") ${here}`],
  "require-concurrent-partition-detach": [`op.execute("ALTER TABLE line DETACH PARTITION line_1") ${here}`],
  "ban-create-domain-with-constraint": [`op.execute("CREATE DOMAIN p AS int CHECK (VALUE > 0)") ${here}`],
  "ban-alter-domain-with-add-constraint": [
    `op.execute("ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE > 0)") ${here}`,
  ],
  "delete-without-where": [`op.execute(sa.table("child").delete()) ${here}`],
  truncate: [`op.execute("TRUNCATE child") ${here}`],
  "not-in-transaction": [
    "with op.get_context().autocommit_block():",
    '    op.execute("VACUUM parent")',
    `op.execute("VACUUM child") ${here}`,
  ],
  "new-enum-value": [
    "op.execute(\"ALTER TYPE mood ADD VALUE 'bad'\")",
    `op.execute("INSERT INTO moods VALUES ('bad')") ${here}`,
  ],
  "procedure-call": [`op.execute("CALL commits()") ${here}`],
  "syntax-error": [`op.execute("DROP TABEL child") ${here}`],
  "update-without-where": [`op.execute(sa.table("child", sa.column("m", sa.Integer)).update().values(m=1)) ${here}`],
  "sql-not-known": ['op.execute("SELECT 1")', `list(op.get_bind().execute(sa.text("SELECT 1"))) ${here}`],
};

const longId = "20260305_add_carrier_contract_attachments";

/** Expected places of the rules on whole files and on the chain: the file, and the beginning of its line. */
const declarations: Readonly<Record<string, readonly [file: string, line: string]>> = {
  "long-id": ["alembic/versions/long.py", "revision = "],
  "missing-downgrade": ["alembic/versions/irreversible.py", "def downgrade"],
  "several-bases": ["alembic/versions/unlinked.py", "down_revision = "],
  "head-collision": ["alembic/versions/case0.py", "down_revision = "],
  "lockfile-differs": ["migrations.lock.json", "{"],
  "revision-changed": ["alembic/versions/changed.py", "revision = "],
  "revision-removed": ["migrations.lock.json", "{"],
  "several-heads": ["alembic/versions/unlinked.py", "down_revision = "],
};

/** Expected lines of the rules on what a rehearsal has shown, in a file with these declarations. */
const lines = { revision: 10, down_revision: 11, upgrade: 16, downgrade: 30 };
const stopped = 20;
const rehearsed: Readonly<Record<string, number>> = {
  "breaks-running-release": lines.upgrade,
  "failing-downgrade": lines.downgrade,
  "incomplete-downgrade": lines.downgrade,
  "model-difference": lines.revision,
  "nondeterministic-upgrade": lines.upgrade,
  "rehearsed-sql": stopped,
};

interface Sarif {
  readonly runs: readonly {
    readonly results: readonly {
      readonly ruleId: string;
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: { readonly startLine: number };
        };
      }[];
    }[];
  }[];
}

describe("the lines of findings", () => {
  const places = new Map<string, Set<string>>();
  let project: ChainProject;
  const text = (file: string) => readFileSync(join(project.folder, file), "utf8").split("\n");

  /** Runs `ci`, and notes the place of each result in its SARIF file. */
  async function review(...options: readonly string[]): Promise<void> {
    const sarif = join(project.folder, ".git", "review.sarif");
    const given = ["--backend", project.folder, "--python", await alembicPython(), "--sarif", sarif, "--json"];
    const { code, stdout, stderr } = await unity("ci", ...given, ...options);
    assert.equal(code, 1, stdout + stderr);
    const [run] = (JSON.parse(readFileSync(sarif, "utf8")) as Sarif).runs;
    for (const { ruleId, locations } of run?.results ?? []) {
      for (const { physicalLocation } of locations) {
        const place = `${physicalLocation.artifactLocation.uri}:${physicalLocation.region.startLine}`;
        places.set(ruleId, (places.get(ruleId) ?? new Set()).add(place));
      }
    }
  }

  before(async () => {
    const locked: RevisionSource[] = [
      { id: "tables", upgrade: base },
      { id: "changed", down: "tables" },
      { id: "removed", down: "changed" },
    ];
    project = new ChainProject(locked);
    const repository = new TestRepository(project.folder);
    const options = ["--backend", project.folder, "--python", await alembicPython()];
    assert.equal((await unity("lock", ...options)).code, 0);
    repository.commit("Base");
    repository.branch("feature");
    repository.branch("main");
    project.add({ id: "incoming", down: "removed" });
    assert.equal((await unity("lock", ...options)).code, 0);
    repository.commit("Another revision on the base");
    repository.git("checkout", "--quiet", "feature");

    project.add({ id: "changed", down: "tables", title: "Another title" });
    project.remove("alembic/versions/removed.py");
    let down = "changed";
    for (const [index, upgrade] of Object.values(statements).entries()) {
      const id = `case${index}`;
      project.add({ id, down, upgrade });
      down = id;
    }
    project.add({ id: "irreversible", down, downgrade: ["pass"] });
    project.add({ id: longId, down: "irreversible", file: "alembic/versions/long.py" });
    project.add({ id: "unlinked", upgrade: ["pass"], downgrade: ["pass"] });
    await review("--base", "main");
    await review("--no-base");
  });
  after(() => project.delete());

  it("are tested for every rule", () => {
    const tested = [...Object.keys(statements), ...Object.keys(declarations), ...Object.keys(rehearsed)];
    assert.deepEqual(tested.sort(), Object.keys(allRules).sort());
  });

  for (const [index, rule] of Object.keys(statements).entries()) {
    it(`are those of the call of op: ${rule}`, () => {
      const file = `alembic/versions/case${index}.py`;
      const line = text(file).findIndex((each) => each.endsWith(here)) + 1;
      const found = [...(places.get(rule) ?? [])].filter((place) => place.startsWith(`${file}:`));
      assert.deepEqual(found, [`${file}:${line}`]);
    });
  }

  for (const [rule, [file, start]] of Object.entries(declarations)) {
    it(`are those of the declaration: ${rule}`, () => {
      const line = file.endsWith(".py") ? text(file).findIndex((each) => each.startsWith(start)) + 1 : 1;
      assert.ok(line > 0);
      assert.ok(places.get(rule)?.has(`${file}:${line}`), [...(places.get(rule) ?? [])].join(" "));
    });
  }

  const rehearsedPlaces = new Places("backend/", { r: [stopped] }, () => ({
    lines,
    docstring: null,
    downRevisions: null,
  }));
  for (const [rule, line] of Object.entries(rehearsed)) {
    it(`are those of a rehearsal: ${rule}`, () => {
      const place = rehearsedPlaces.finding(lockedRevision("r"), rule, null);
      assert.deepEqual(place, { file: "backend/alembic/versions/r.py", line });
    });
  }

  it("are that of the call that stops a rendering if the SQL comes from a rehearsal", () => {
    const revision = lockedRevision("r", { upgrade: { sql: ["SELECT 1;", "DROP TABLE t;"] } });
    assert.equal(rehearsedPlaces.finding(revision, "ban-drop-table", 1).line, stopped);
  });
});
