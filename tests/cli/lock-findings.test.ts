import assert from "node:assert/strict";
import type { LockedRevision } from "../../src/lockfile/lock.ts";
import { env, type RevisionSource } from "../fixtures/chains/project.ts";
import { type LockedChain, lockChain } from "./locked-chain.ts";

/** The tables that the other revisions change. */
const base: readonly string[] = [
  'op.create_table("parent", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.Text))',
  'op.create_table("child", sa.Column("id", sa.BigInteger, sa.ForeignKey("parent.id")), sa.Column("note", sa.Text))',
  'op.create_index("ix_child_note", "child", ["note"])',
];

const exclusive = (table: string, statement = 0) => `${statement} ${table} ACCESS EXCLUSIVE, reads and writes`;

/** Upgrades with their findings, as `rule level statement`, and their locks. */
const cases: readonly [what: string, upgrade: readonly string[], findings: string[], locks: string[]][] = [
  ["adds a column that may be null", ['op.add_column("child", sa.Column("n", sa.Integer))'], [], [exclusive("child")]],
  [
    "adds a column that must have a value",
    ['op.add_column("child", sa.Column("m", sa.Integer, nullable=False))'],
    ["adding-required-field error 0"],
    [exclusive("child")],
  ],
  [
    "drops a column with a foreign key",
    ['op.drop_column("child", "id")'],
    ["ban-drop-column error 0"],
    [exclusive("child"), exclusive("parent")],
  ],
  [
    "renames a column",
    ['op.alter_column("parent", "name", new_column_name="title")'],
    ["renaming-column error 0"],
    [exclusive("parent")],
  ],
  [
    "changes a type",
    ['op.alter_column("parent", "title", type_=sa.String(5))'],
    ["changing-column-type error 0"],
    [exclusive("parent")],
  ],
  [
    "makes a column required",
    ['op.alter_column("parent", "title", nullable=False)'],
    ["adding-not-nullable-field warning 0"],
    [exclusive("parent")],
  ],
  [
    "adds a foreign key for one finding",
    ['op.create_foreign_key("fk", "child", "parent", ["m"], ["id"])'],
    ["adding-foreign-key-constraint warning 0"],
    ["0 child SHARE ROW EXCLUSIVE, writes", "0 parent SHARE ROW EXCLUSIVE, writes"],
  ],
  [
    "makes an index",
    ['op.create_index("ix_m", "child", ["m"])'],
    ["require-concurrent-index-creation warning 0"],
    ["0 child SHARE, writes"],
  ],
  [
    "makes an index concurrently outside the transaction",
    [
      "with op.get_context().autocommit_block():",
      '    op.create_index("ix_n", "child", ["n"], postgresql_concurrently=True)',
    ],
    [],
    ["1 child SHARE UPDATE EXCLUSIVE, other schema changes"],
  ],
  [
    "creates and drops indexes concurrently in it",
    [
      'op.create_index("ix_o", "child", ["n"], postgresql_concurrently=True)',
      'op.drop_index("ix_n", postgresql_concurrently=True)',
    ],
    ["ban-concurrent-index-creation-in-transaction error 0", "not-in-transaction error 1"],
    ["0 child SHARE UPDATE EXCLUSIVE, other schema changes", "1 child SHARE UPDATE EXCLUSIVE, other schema changes"],
  ],
  [
    "drops an index of an earlier revision",
    ['op.drop_index("ix_child_note")'],
    ["require-concurrent-index-deletion warning 0"],
    [exclusive("child")],
  ],
  [
    "changes what it makes itself",
    [
      'op.create_table("own", sa.Column("id", sa.Integer, primary_key=True), sa.Column("p", sa.BigInteger, sa.ForeignKey("parent.id")))',
      'op.create_index("ix_own", "own", ["id"])',
      'op.alter_column("own", "id", type_=sa.BigInteger)',
      'op.drop_column("own", "id")',
      'op.rename_table("own", "mine")',
      'op.execute("DELETE FROM mine")',
      'op.drop_table("mine")',
    ],
    [],
    ["0 parent SHARE ROW EXCLUSIVE, writes", exclusive("parent", 6)],
  ],
  [
    "changes every row",
    ['op.execute("UPDATE child SET note = 1")', 'op.execute("DELETE FROM child")', 'op.execute("TRUNCATE child")'],
    ["update-without-where warning 0", "delete-without-where error 1", "truncate error 2"],
    ["0 child ROW EXCLUSIVE, nothing", "1 child ROW EXCLUSIVE, nothing", exclusive("child", 2)],
  ],
  ["changes some rows", ['op.execute("DELETE FROM child WHERE note IS NULL")'], [], ["0 child ROW EXCLUSIVE, nothing"]],
  [
    "deletes in a WITH after a linter's comment",
    [
      'op.execute("-- squawk-ignore-file\\nWITH x AS (DELETE FROM child RETURNING id) SELECT id FROM x")',
      'op.drop_table("child")',
    ],
    ["delete-without-where error 0", "ban-drop-table error 1"],
    ["0 child ROW EXCLUSIVE, nothing", exclusive("child", 1), exclusive("parent", 1)],
  ],
  [
    "has several statements in one text",
    [
      'op.execute("CREATE TABLE two (id int); CREATE INDEX ON two (id); DELETE FROM two; DELETE FROM parent")',
      'op.execute("DROP TABLE two -- made above")',
      'op.execute("ALTER TABLE parent DROP COLUMN title -- gone")',
    ],
    ["delete-without-where error 0", "ban-drop-column error 2"],
    ["0 parent ROW EXCLUSIVE, nothing", exclusive("parent", 2)],
  ],
  ["ends the transaction", ['op.execute("COMMIT")', 'op.execute("SELECT 1")'], ["transaction-nesting error null"], []],
  [
    "isn't valid SQL",
    ['op.execute("DROP TABEL child")'],
    ["syntax-error error 0"],
    ["0 unknown: PostgreSQL's parser rejects it"],
  ],
  ["runs code", ["op.execute(\"DO 'BEGIN END'\")"], [], ["0 unknown: runs code in a DO block"]],
  ["needs the database", ['list(op.get_bind().execute(sa.text("SELECT 1")))'], ["sql-not-known warning null"], []],
  ["renames a table", ['op.rename_table("parent", "elder")'], ["renaming-table error 0"], [exclusive("parent")]],
  ["drops a table by its new name", ['op.drop_table("elder")'], ["ban-drop-table error 0"], [exclusive("elder")]],
];

describe("findings and locks in the lock", () => {
  let locked: LockedChain;
  const revision = (id: string): LockedRevision => locked.revision(id);

  // One chain holds every case, so that Alembic and the linter run once.
  before(async () => {
    const chain: RevisionSource[] = [{ id: "tables", upgrade: base }];
    for (const [index, [title, upgrade]] of cases.entries())
      chain.push({ id: `case${index}`, title, upgrade, down: chain.at(-1)?.id });
    const concurrent = [
      "with op.get_context().autocommit_block():",
      '    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_child_note")',
      '    op.execute("CREATE INDEX CONCURRENTLY ix_child_note ON child (note)")',
      '    op.execute("CREATE INDEX CONCURRENTLY ix_new ON public.child (note)")',
      '    op.execute("REINDEX INDEX CONCURRENTLY ix_m")',
      '    op.execute("CREATE INDEX ix_other ON child (note)")',
    ];
    chain.push({ id: "builds indexes", upgrade: concurrent, down: chain.at(-1)?.id });
    chain.push({ id: "no way back", down: chain.at(-1)?.id, downgrade: ["pass"] });
    chain.push({ id: "unlinked beginning", file: "alembic/versions/second.py" });
    locked = await lockChain(chain);
  });

  for (const [index, [what, , findings, locks]] of cases.entries()) {
    it(`are those of a revision that ${what}`, () => {
      const found = revision(`case${index}`);
      assert.deepEqual(
        found.findings.map(({ rule, level, statement }) => `${rule} ${level} ${statement}`),
        findings,
      );
      assert.deepEqual(
        found.locks.map((lock) =>
          lock.mode === null
            ? `${lock.statement} unknown: ${lock.reason}`
            : `${lock.statement} ${lock.table} ${lock.mode}, ${lock.blocks}`,
        ),
        locks,
      );
    });
  }

  it("come with the indexes that the upgrade builds concurrently, drops, or rebuilds", () => {
    assert.deepEqual(revision("builds indexes").indexes, {
      built: ["public.ix_new"],
      repaired: ["ix_child_note", "ix_m"],
    });
    assert.deepEqual(revision("tables").indexes, { built: [], repaired: [] });
  });

  it("come with the first reason for which earlier code may fail", () => {
    assert.equal(revision("tables").rollbackBlocker, null);
    const drops = "drops what earlier code may use: DROP INDEX CONCURRENTLY IF EXISTS ix_child_note;";
    assert.equal(revision("builds indexes").rollbackBlocker, drops);
    const of = (title: string) => revision(`case${cases.findIndex(([what]) => what === title)}`).rollbackBlocker ?? "";
    assert.equal(of("isn't valid SQL"), "is rejected by PostgreSQL's parser: DROP TABEL child;");
    assert.match(of("needs the database"), /^its SQL is not known: NeedsDatabase: reads the result of a statement/);
    // The first text creates the table `two`; only what follows concerns existing tables.
    assert.match(of("has several statements in one text"), /^changes rows of an existing table: CREATE TABLE two/);
  });

  it("report an empty downgrade and a second base", () => {
    const rules = (id: string) => revision(id).findings.map(({ rule, message }) => `${rule}: ${message}`);
    assert.deepEqual(rules("no way back"), ["missing-downgrade: Can't be undone: the downgrade does nothing."]);
    assert.match(rules("unlinked beginning").join(), /^several-bases: No down_revision, like tables/);
  });

  describe("on an id that is longer than the version table's column", () => {
    const id = "20260305_add_carrier_contract_attachments";
    const widen = 'op.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(99)")';
    const online = 'context.execute("ALTER TABLE alembic_version ALTER version_num TYPE varchar(99)")';
    const column = "context.get_context()._version.c.version_num.type.length = 99";
    const runs = "        context.run_migrations()";
    const rulesOf = async (first: readonly string[], ...envLines: readonly string[]) => {
      const lines = envLines.map((line) => `        ${line}\n`).join("");
      const files = { "alembic/env.py": env.replace(runs, `${lines}${runs}`) };
      const chain = [
        { id: "first", upgrade: first },
        { id, down: "first" },
      ];
      const { revision } = await lockChain(chain, files);
      return revision(id).findings.map(({ rule, level, message }) => `${level} ${rule}: ${message}`);
    };

    it("are an error", async () => {
      assert.deepEqual(await rulesOf(["pass"]), [
        "error long-id: The id has 41 characters, but the version table's column version_num holds 32.",
      ]);
    });

    it("are absent if a revision widens the column", async () => assert.deepEqual(await rulesOf([widen]), []));
    it("are absent if env.py widens the column", async () => {
      assert.deepEqual(await rulesOf(["pass"], online), []);
      assert.deepEqual(await rulesOf(["pass"], column), []);
    });
  });

  it("are printed by pulumi-alembic lock", () => {
    assert.match(
      locked.output,
      /drops a table by its new name: .*\n +error ban-drop-table \(statement 1\): Dropping a table/,
    );
  });
});
