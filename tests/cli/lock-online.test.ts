import assert from "node:assert/strict";
import { type LockedChain, lockChain } from "./locked-chain.ts";

type Body = readonly string[];

/** Python conditions that hold where Alembic renders a revision offline, or where it can't be known. */
const offline: Readonly<Record<string, string>> = {
  "op.get_context().as_sql": "op.get_context().as_sql",
  "getattr of as_sql": 'getattr(op.get_context(), "as_sql", False)',
  "as_sql of a helper in another module": "helper.is_offline(op)",
  "context.get_context().as_sql": "context.get_context().as_sql",
  "impl.as_sql": "op.get_context().impl.as_sql",
  "impl.literal_binds": "op.get_context().impl.literal_binds",
  "opts[as_sql]": 'op.get_context().opts["as_sql"]',
  "opts.get(literal_binds)": 'op.get_context().opts.get("literal_binds")',
  "opts.get(output_buffer)": 'op.get_context().opts.get("output_buffer")',
  output_buffer: "op.get_context().output_buffer is not sys.stdout",
  "context.is_offline_mode()": "context.is_offline_mode()",
  "environment_context.is_offline_mode()": "op.get_context().environment_context.is_offline_mode()",
  context_opts: 'op.get_context().environment_context.context_opts.get("as_sql")',
  "a bind of None": "op.get_bind() is None",
  "a connection of None": "op.get_context().connection is None or op.get_context().bind is None",
  "isinstance of MockConnection": "isinstance(op.get_bind(), mock.MockConnection)",
  "isinstance of Connection": "not isinstance(op.get_bind(), sa.engine.Connection)",
  "the type of the bind": "type(op.get_bind()) is not sa.engine.Connection",
  "the name of the bind's type": 'op.get_bind().__class__.__name__ == "MockConnection"',
  "the context's bind": "isinstance(op.get_context().bind, mock.MockConnection)",
  "cmd_opts.sql": 'getattr(context.config.cmd_opts, "sql", False)',
  "sys.orig_argv": 'any("--sql" in each or "render_chain" in each for each in getattr(sys, "orig_argv", []))',
  "the type of the context": "type(op.get_context()) is not MigrationContext",
  "the type of the implementation": "type(op.get_context().impl) is not PostgresqlImpl",
  "the type of the environment": "type(op.get_context().environment_context) is not EnvironmentContext",
  "the type of the dialect":
    "type(op.get_context().dialect) is not type(sa.engine.make_url('postgresql://').get_dialect()())",
  "sys.argv": '"--sql" in sys.argv or "render_chain" in sys.argv[0]',
  "the dialect's name": 'op.get_bind().dialect.name != "postgresql" or op.get_context().dialect.name != "postgresql"',
  "the engine's name": 'op.get_bind().engine.name != "postgresql"',
};

/** Python conditions that only a database could answer, with the reason in the lockfile. */
const unanswered: Readonly<Record<string, readonly [condition: string, reason: RegExp]>> = {
  server_version_info: ['getattr(op.get_bind().dialect, "server_version_info", None)', /reads the dialect's server_v/],
  default_schema_name: ["op.get_context().dialect.default_schema_name", /reads the dialect's default_schema_name/],
  dbapi: ["op.get_context().dialect.dbapi is None", /reads the dialect's dbapi/],
  "attributes of the bind": ['hasattr(op.get_bind(), "closed")', /uses closed of the connection/],
  "a transaction of the bind": ["op.get_bind().in_transaction()", /uses in_transaction of the connection/],
  "an inspector": ["sa.inspect(op.get_bind()).default_schema_name", /inspects the database/],
  get_current_revision: ["op.get_context().get_current_revision() is None", /reads the database's revision/],
  get_current_heads: ["not op.get_context().get_current_heads()", /reads the database's revision/],
  "the type of a result": ["str(op.get_bind().execute(sa.text('SELECT 1')))", /reads the result of a/],
  "an attribute of a result": ["op.get_bind().execute(sa.text('SELECT 1')).rowcount", /reads the result of a/],
  "a transaction of the context": ["op.get_context()._in_connection_transaction()", /asks for a transaction/],
  "the URL": ["'invalid' in context.config.get_main_option('sqlalchemy.url')", /reads sqlalchemy.url of Alembic's/],
  "the section of the URL": ["context.config.get_section('alembic')['sqlalchemy.url']", /reads sqlalchemy.url of/],
  "os.environ": ['"invalid" in os.environ["DATABASE_URL"]', /reads DATABASE_URL/],
  "os.getenv": ['os.getenv("DATABASE_URL") is None', /reads DATABASE_URL/],
  "a caught refusal": ["caught(lambda: list(op.get_bind().execute(sa.text('SELECT 1'))))", /reads the result of a/],
  "an error in place of the refusal": ["replaced(lambda: op.get_bind().closed)", /uses closed of the connection/],
};

const tools = [
  "import os, sys",
  "from sqlalchemy.engine import mock",
  "from alembic.ddl.postgresql import PostgresqlImpl",
  "from alembic.runtime.environment import EnvironmentContext",
  "from alembic.runtime.migration import MigrationContext",
  "sys.path.insert(0, os.getcwd())",
  "import helper",
  "def caught(ask):",
  "    try:",
  "        return bool(ask())",
  "    except Exception:",
  "        return False",
  "def replaced(ask):",
  "    try:",
  "        return bool(ask())",
  "    except Exception:",
  '        raise NotImplementedError("not supported")',
];

/** Runs other statements than it shows offline. */
function asking(condition: string): Body {
  return [...tools, `if not (${condition}):`, '    op.execute("DROP TABLE t")'];
}

describe("a revision that asks whether it is rendered", () => {
  let locked: LockedChain;

  // One chain holds every case, so that Alembic runs once.
  before(async () => {
    const conditions = [
      ...Object.entries(offline),
      ...Object.entries(unanswered).map(([name, [condition]]) => [name, condition] as const),
    ];
    const chain = conditions.map(([id, condition], index) => ({
      id,
      down: conditions[index - 1]?.[0],
      file: `alembic/versions/${index}.py`,
      upgrade: asking(condition),
      downgrade: asking(condition),
    }));
    const embedding = {
      id: "a name from the URL",
      down: conditions.at(-1)?.[0],
      upgrade: [
        "import os",
        'name = os.environ._data[b"DATABASE_URL"].decode().rpartition("/")[2]',
        'op.execute(f"ALTER DATABASE {name} SET a = 1")',
      ],
    };
    const ofResult = {
      id: "the type that a result has",
      down: embedding.id,
      upgrade: asking("not isinstance(op.get_bind().execute(sa.text('SELECT 1')), sa.engine.CursorResult)"),
    };
    locked = await lockChain([...chain, embedding, ofResult], {
      "helper.py": "def is_offline(op):\n    return op.get_context().as_sql\n",
    });
  });

  for (const name of Object.keys(offline)) {
    it(`is locked with its online SQL: ${name}`, () => {
      const { upgrade, downgrade, reversible } = locked.revision(name);
      assert.deepEqual(upgrade, { sql: ["DROP TABLE t;"] });
      assert.deepEqual(downgrade, { sql: ["DROP TABLE t;"] });
      assert.equal(reversible, true);
    });
  }

  for (const [name, [, reason]] of Object.entries(unanswered)) {
    it(`is locked and reversible as unknown: ${name}`, () => {
      const { upgrade, downgrade, reversible, reversibleReason, tables } = locked.revision(name);
      for (const direction of [upgrade, downgrade]) {
        assert.equal(direction.sql, null);
        assert.match(direction.sql === null ? direction.reason : "", reason);
      }
      assert.deepEqual([reversible, tables], [null, null]);
      assert.match(reversibleReason ?? "", reason);
    });
  }

  it("is locked with all that it executes if it asks for the type of a result", () => {
    const { upgrade } = locked.revision("the type that a result has");
    assert.deepEqual(upgrade, { sql: ["SELECT 1;", "DROP TABLE t;"] });
  });

  it("is locked as unknown if its SQL contains a part of the database's URL", () => {
    const { upgrade } = locked.revision("a name from the URL");
    assert.equal(upgrade.sql, null);
    assert.match(upgrade.sql === null ? upgrade.reason : "", /a part of the database's URL/);
  });
});
