import assert from "node:assert/strict";
import { join } from "node:path";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import type { LockedSql } from "../../src/lockfile/lock.ts";
import { shortTitle } from "../support/titles.ts";
import { lockChain } from "./locked-chain.ts";

const offline = [
  "import asyncio, os",
  "import sqlalchemy as sa",
  "from sqlalchemy import event, pool, text",
  "from alembic import context",
  "def run(connection):",
  "    context.configure(connection=connection)",
  "    with context.begin_transaction():",
  "        context.run_migrations()",
  "if context.is_offline_mode():",
  '    context.configure(url=os.environ["DATABASE_URL"])',
  "    with context.begin_transaction():",
  "        context.run_migrations()",
  "else:",
  '    engine = sa.create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)',
];

/** Lines of env.py's online branch, and the SQL that they execute. */
const known: Readonly<Record<string, readonly [lines: readonly string[], sql: readonly string[]]>> = {
  nothing: [["with engine.connect() as connection:", "    run(connection)"], []],
  "text before and after the revisions": [
    [
      "with engine.begin() as connection:",
      '    connection.execute(text("CREATE SCHEMA IF NOT EXISTS crm;"))',
      '    connection.execute(text("SET search_path TO crm, public"))',
      "    run(connection)",
      '    connection.execute(text("GRANT USAGE ON SCHEMA crm TO reader"))',
    ],
    ["CREATE SCHEMA IF NOT EXISTS crm;", "SET search_path TO crm, public;", "GRANT USAGE ON SCHEMA crm TO reader;"],
  ],
  "DDL and parameters": [
    [
      "with engine.connect() as connection:",
      '    connection.execute(sa.schema.CreateSchema("crm"))',
      "    connection.execute(text(\"SELECT set_config('x.y', :value, false)\"), {'value': \"it's 5 %\"})",
      "    run(connection)",
    ],
    ["CREATE SCHEMA crm;", "SELECT set_config('x.y', 'it''s 5 %', false);"],
  ],
  "the driver's SQL, and Alembic's own execute": [
    [
      "with engine.connect() as connection:",
      "    connection.exec_driver_sql(\"SET application_name = '5 %'\")",
      "    context.configure(connection=connection)",
      '    context.execute("SET ROLE owner")',
      "    with context.begin_transaction():",
      "        context.run_migrations()",
    ],
    ["SET application_name = '5 %';", "SET ROLE owner;"],
  ],
  "a listener of the pool, and another isolation level": [
    [
      '@event.listens_for(engine, "connect")',
      "def limit(session, _):",
      "    with session.cursor() as cursor:",
      "        cursor.execute(\"SET lock_timeout = '4s'\")",
      'with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:',
      '    connection.execute(text("CREATE EXTENSION IF NOT EXISTS citext"))',
      "    run(connection)",
    ],
    ["SET lock_timeout = '4s';", "CREATE EXTENSION IF NOT EXISTS citext;"],
  ],
  "output, and a module that only this branch imports": [
    [
      "import sys",
      'sys.path.insert(0, "alembic")',
      "import connecting",
      'print("connecting", file=sys.stderr)',
      "with engine.connect() as connection:",
      "    run(connection)",
    ],
    [],
  ],
};

/** Lines of env.py's online branch whose SQL only a database could show, and the reason. */
const unknown: Readonly<Record<string, readonly [lines: readonly string[], reason: RegExp]>> = {
  "reads a result": [
    [
      "with engine.connect() as connection:",
      '    connection.execute(text("SELECT 1")).scalar()',
      "    run(connection)",
    ],
    /^NeedsDatabase: reads the result of a statement \(line 16\)$/,
  ],
  "catches the refusal": [
    [
      "with engine.connect() as connection:",
      "    try:",
      '        sa.inspect(connection).has_table("t")',
      "    except Exception:",
      "        pass",
      "    run(connection)",
    ],
    /^NeedsDatabase: reads the result of a statement \(line 17\)$/,
  ],
  fails: [['raise RuntimeError("no vault")'], /^RuntimeError: no vault \(line 15\)$/],
  "uses the URL": [
    ["with engine.connect() as connection:", '    connection.execute(text(f"SET ROLE {engine.url.username}"))'],
    /^it contains a part of the database's URL$/,
  ],
};

describe("SQL of env.py in the lock", () => {
  async function lockEnv(lines: readonly string[], python?: string) {
    const text = [...offline, ...lines.map((line) => `    ${line}`), ""].join("\n");
    return await lockChain([{ id: "one" }], { "alembic/env.py": text, "alembic/connecting.py": "" }, python);
  }

  for (const [name, [lines, sql]] of Object.entries(known)) {
    it(shortTitle(`is that of its online branch: ${name}`), async () => {
      const { lock } = await lockEnv(lines);
      assert.deepEqual(lock.env, { sql } satisfies LockedSql);
      const imports = lines.includes("import connecting");
      assert.deepEqual(Object.keys(lock.files), [...(imports ? ["alembic/connecting.py"] : []), "alembic/env.py"]);
      assert.deepEqual(lock.revisions[0]?.downgrade, { sql: ["DROP TABLE t_one;"] });
    });
  }

  for (const [name, [lines, reason]] of Object.entries(unknown)) {
    it(shortTitle(`is unknown, with the reason, if it ${name}`), async () => {
      const { lock, output } = await lockEnv(lines);
      assert.match(lock.env.sql === null ? lock.env.reason : "", reason);
      assert.match(output, /env\.sql:\n\s+\+ unknown: /);
    });
  }

  it("is that of an async engine", async () => {
    const { lock } = await lockEnv([
      "from sqlalchemy.ext.asyncio import create_async_engine",
      'url = engine.url.set(drivername="postgresql+psycopg")',
      "async def run_online():",
      "    engine = create_async_engine(url)",
      "    async with engine.begin() as connection:",
      '        await connection.execute(text("SET search_path TO crm"))',
      "        await connection.run_sync(run)",
      "    await engine.dispose()",
      "asyncio.run(run_online())",
    ]);
    assert.deepEqual(lock.env, { sql: ["SET search_path TO crm;"] });
  });

  it("is known without the driver that the newest SQLAlchemy uses by default", async () => {
    const requirements = join(import.meta.dirname, "newest-requirements.txt");
    const python = await pythonEnvironment({ requirements, report: (line) => process.stderr.write(`${line}\n`) });
    const lines = [
      "with engine.begin() as connection:",
      '    connection.execute(text("SET ROLE owner"))',
      "    run(connection)",
    ];
    const { lock } = await lockEnv(lines, python);
    assert.deepEqual(lock.env, { sql: ["SET ROLE owner;"] });
  });
});
