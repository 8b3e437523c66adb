import assert from "node:assert/strict";
import type { LockedRevision } from "../../src/lockfile/lock.ts";
import { type LockedChain, lockChain } from "./locked-chain.ts";

type Body = readonly string[];

/** Upgrades that only a database could render, or nothing, with what the lock says instead. */
const unrendered: readonly [name: string, upgrade: Body, reason: RegExp][] = [
  [
    "reads rows",
    ['rows = op.get_bind().execute(sa.text("SELECT 1"))', "for row in rows:", '    op.drop_table("t")'],
    /^NeedsDatabase: reads the result of a statement \(line 17\)$/,
  ],
  [
    "branches on a result",
    ['if op.get_bind().execute(sa.text("SELECT 1")):', '    op.drop_table("t")'],
    /^NeedsDatabase: reads the result of a statement \(line 16\)$/,
  ],
  ["inspects", ["sa.inspect(op.get_bind()).get_table_names()"], /^NeedsDatabase: inspects the database \(line 16\)$/],
  [
    "checks for an enum",
    ["from sqlalchemy.dialects import postgresql", 'postgresql.ENUM("x", name="mood").create(op.get_bind())'],
    /^NeedsDatabase: checks whether mood exists \(checkfirst\) \(line 17\)$/,
  ],
  [
    "checks for a table",
    ['sa.Table("t", sa.MetaData()).create(op.get_bind(), checkfirst=True)'],
    /^NeedsDatabase: checks whether t exists \(checkfirst\)/,
  ],
  ["checks for all tables", ["sa.MetaData().drop_all(op.get_bind())"], /^NeedsDatabase: checks what exists/],
  [
    "passes a value without a literal",
    ['op.get_bind().execute(sa.text("UPDATE t SET a = :a"), {"a": object()})'],
    /^RenderingLimit: passes a value that has no literal: CompileError: .*datatype NULL/,
  ],
  [
    "passes parameters by position",
    ['op.get_bind().execute(sa.text("UPDATE t SET a = 1"), [(1,)])'],
    /^RenderingLimit: passes parameters that are not a mapping \(line 16\)$/,
  ],
  [
    "begins a savepoint",
    ["with op.get_bind().begin_nested():", "    pass"],
    /^RenderingLimit: uses begin_nested of the connection \(line 16\)$/,
  ],
  [
    "reads rows in a session",
    ["from sqlalchemy.orm import Session", 'Session(bind=op.get_bind()).execute(sa.text("SELECT 1")).all()'],
    /^NeedsDatabase: reads the result of a statement \(line 17\)$/,
  ],
  ["connects by itself", ['sa.create_engine("sqlite://").connect()'], /^NeedsDatabase: connects to a database/],
  [
    "writes a time",
    ["import time", 'op.execute(f"INSERT INTO t VALUES ({time.perf_counter_ns()})")'],
    /^its SQL differs between two runs/,
  ],
];

/** Downgrades, and whether they undo a table. */
const downgrades: readonly [name: string, downgrade: Body | null, reversible: boolean | null, reason: RegExp][] = [
  ["does nothing", ["pass"], false, /^the downgrade does nothing$/],
  ["is missing", null, false, /^the downgrade is not supported: the file has no downgrade\(\)$/],
  ["raises", ['raise NotImplementedError("no way back")'], false, /NotImplementedError: no way back \(line 21\)$/],
  [
    "reads from the database",
    ["list(op.get_bind().execute(sa.text('SELECT 1')))"],
    null,
    /^the downgrade's SQL is not known: NeedsDatabase: reads/,
  ],
];

/** Upgrades with their SQL or tables. */
const rendered = {
  tables: [
    'op.add_column("a", sa.Column("x", sa.Integer, sa.ForeignKey("b.id")))',
    'op.create_index("ix", "i", ["x"])',
    'op.drop_constraint("c", "k")',
    'op.drop_column("d", "x")',
    'op.rename_table("old", "new")',
    'op.drop_table("gone", schema="s")',
    'op.create_table("made", sa.Column("id", sa.Integer), schema="s")',
    'op.create_index("ix2", "made", ["id"], schema="s")',
    'sa.Table("bound", sa.MetaData(), sa.Column("id", sa.Integer)).create(op.get_bind())',
    'op.create_table("brief", sa.Column("id", sa.Integer))',
    'op.drop_table("brief")',
    'op.drop_index("of no known table")',
  ],
  texts: [
    't = sa.table("t", sa.column("a", sa.String))',
    'op.bulk_insert(t, [{"a": "50%"}])',
    "op.execute(\"CREATE TABLE raw AS SELECT '5%'\")",
    'op.execute(t.update().where(t.c.a == "x%").values(a="y"))',
  ],
  autocommit: [
    "with op.get_context().autocommit_block():",
    '    op.create_index("ix", "t", ["a"], postgresql_concurrently=True)',
  ],
  parameters: [
    "import datetime, decimal, uuid",
    "bind = op.get_bind()",
    'bind.execute(sa.text("UPDATE t SET a = :a, b = :b"), {"a": "it\'s", "b": None, "c": 1})',
    't = sa.table("t", sa.column("a", sa.Integer), sa.column("b", sa.Text))',
    'bind.execute(t.insert(), [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])',
    'bind.execute(t.update().where(t.c.a == sa.bindparam("key")), {"key": 3, "b": "z"})',
    'bind.execute(sa.text("CALL p(:d, :n, :u)"), {"d": datetime.date(2026, 1, 2), "n": decimal.Decimal("1.5"), "u": uuid.UUID(int=1)})',
  ],
  session: [
    "from sqlalchemy.orm import Session",
    "session = Session(bind=op.get_bind())",
    'session.execute(sa.text("DELETE FROM t WHERE a = :a"), {"a": 1})',
    "session.commit()",
    "with Session(op.get_bind()) as other:",
    '    other.execute(sa.text("DELETE FROM u"))',
  ],
  backslashes: [
    't = sa.table("t", sa.column("a", sa.String))',
    "op.execute(t.update().values(a=r'C:\\new'))",
    "op.execute(r\"SELECT '\\d'\")",
    'op.add_column("t", sa.Column("p", sa.Text, server_default=r"\\w+"))',
  ],
  tabs: [
    "op.execute(\"UPDATE t SET a = '\\t'\")",
    "op.get_bind().execute(sa.text('UPDATE t SET a = :a'), {'a': '\\t'})",
    'op.create_table("tabs", sa.Column("a\\tb", sa.Text, server_default="it\'s\\t"))',
  ],
  order: [
    'checks = [sa.CheckConstraint(f"n > {i}") for i in range(6)]',
    'columns = [sa.Column(name, sa.Integer, index=True) for name in "zyxwvu"]',
    'op.create_table("sorted", sa.Column("n", sa.Integer, *checks), *columns)',
    'keys = [sa.ForeignKey(f"k.{name}", name=f"fk_{name}") for name in "fedcba"]',
    'op.add_column("t", sa.Column("k", sa.Integer, *keys))',
  ],
  enumeration: ['op.create_table("e", sa.Column("m", sa.Enum("x", name="mood")))'],
} satisfies Record<string, Body>;

describe("SQL in the lock", () => {
  let locked: LockedChain;
  const revision = (id: string): LockedRevision => locked.revision(id);

  // One chain holds every case, so that Alembic is asked once.
  before(async () => {
    const cases: readonly { id: string; upgrade?: Body; downgrade?: Body | null }[] = [
      ...unrendered.map(([id, upgrade]) => ({ id, upgrade })),
      ...downgrades.map(([id, downgrade]) => ({ id, downgrade })),
      ...Object.entries(rendered).map(([id, upgrade]) => ({ id, upgrade })),
    ];
    const chain = cases.map((one, index) => ({
      ...one,
      down: cases[index - 1]?.id,
      file: `alembic/versions/${index}.py`,
    }));
    locked = await lockChain(chain);
  });

  for (const [name, , reason] of unrendered) {
    it(`is absent, with the reason, if a revision ${name}`, () => {
      const { upgrade, tables, downgrade, reversible } = revision(name);
      assert.equal(upgrade.sql, null);
      assert.match(upgrade.sql === null ? upgrade.reason : "", reason);
      assert.equal(tables, null);
      assert.deepEqual([downgrade.sql?.length, reversible], [1, true]);
    });
  }

  for (const [name, , reversible, reason] of downgrades) {
    it(`says ${reversible} of undoing where the downgrade ${name}`, () => {
      assert.equal(revision(name).reversible, reversible);
      assert.match(revision(name).reversibleReason ?? "", reason);
    });
  }

  it("is reported if it is missing, as are irreversible revisions", () => {
    assert.match(
      locked.output,
      /inspects \(alembic\/versions\/2\.py\)\n.*\n +warning sql-not-known: .*: NeedsDatabase: inspects/,
    );
    assert.match(locked.output, /Can't be undone: the downgrade does nothing/);
    assert.match(locked.output, /texts .*\n.*\n +changed tables are unknown: 1 statement of plain text/);
  });

  it("has tables from operations: altered, renamed, dropped, created, in a schema", () => {
    assert.deepEqual(revision("tables").tables, {
      created: ["bound", "new", "s.made"],
      altered: ["a", "d", "i", "k"],
      dropped: ["old", "s.gone"],
      unclassified: [12],
    });
  });

  it("never guesses the tables of text, and keeps values and percent signs as they are", () => {
    const { upgrade, tables } = revision("texts");
    assert.deepEqual(upgrade.sql, [
      "INSERT INTO t (a) VALUES ('50%');",
      "CREATE TABLE raw AS SELECT '5%';",
      "UPDATE t SET a='y' WHERE t.a = 'x%';",
    ]);
    assert.deepEqual(tables, { created: [], altered: [], dropped: [], unclassified: [1] });
  });

  it("shows the transaction that autocommit_block leaves", () => {
    const { upgrade, tables } = revision("autocommit");
    assert.deepEqual(upgrade.sql, ["COMMIT;", "CREATE INDEX CONCURRENTLY ix ON t (a);", "BEGIN;"]);
    assert.deepEqual(tables?.altered, ["t"]);
  });

  it("holds a table's new types, in both renderings that are compared", () => {
    const { upgrade, tables } = revision("enumeration");
    assert.deepEqual(upgrade.sql, ["CREATE TYPE mood AS ENUM ('x');", "CREATE TABLE e (\n    m mood\n);"]);
    assert.deepEqual(tables?.unclassified, []);
  });

  it("has parameters as literals", () => {
    assert.deepEqual(revision("parameters").upgrade, {
      sql: [
        "UPDATE t SET a = 'it''s', b = NULL;",
        "INSERT INTO t (a, b) VALUES (1, 'x');",
        "INSERT INTO t (a, b) VALUES (2, 'y');",
        "UPDATE t SET b='z' WHERE t.a = 3;",
        "CALL p('2026-01-02', 1.5, '00000000-0000-0000-0000-000000000001');",
      ],
    });
  });

  it("has the statements of a session on the connection", () => {
    assert.deepEqual(revision("session").upgrade, { sql: ["DELETE FROM t WHERE a = 1;", "DELETE FROM u;"] });
  });

  it("has backslashes as they run", () => {
    assert.deepEqual(revision("backslashes").upgrade, {
      sql: [
        String.raw`UPDATE t SET a='C:\new';`,
        String.raw`SELECT '\d';`,
        String.raw`ALTER TABLE t ADD COLUMN p TEXT DEFAULT '\w+';`,
      ],
    });
  });

  it("has the tabs of text, strings, and names as they run", () => {
    assert.deepEqual(revision("tabs").upgrade, {
      sql: [
        "UPDATE t SET a = '\t';",
        "UPDATE t SET a = '\t';",
        `CREATE TABLE tabs (\n    "a\tb" TEXT DEFAULT 'it''s\t'\n);`,
      ],
    });
  });

  it("has indexes and constraints in the order of their declaration", () => {
    const { upgrade } = revision("order");
    const [table = "", ...rest] = upgrade.sql ?? [];
    assert.deepEqual(
      table.match(/CHECK \(n > \d\)/g)?.join(),
      [0, 1, 2, 3, 4, 5].map((n) => `CHECK (n > ${n})`).join(),
    );
    assert.deepEqual(
      rest.slice(0, 6),
      [..."zyxwvu"].map((name) => `CREATE INDEX ix_sorted_${name} ON sorted (${name});`),
    );
    const keys = [..."fedcba"].map(
      (name) => `ALTER TABLE t ADD CONSTRAINT fk_${name} FOREIGN KEY(k) REFERENCES k (${name});`,
    );
    assert.deepEqual(rest.slice(7), keys);
  });
});
