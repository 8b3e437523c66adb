import type { Lock } from "../../src/lockfile/lock.ts";

/** An env.py with this expression for the URL. */
function env(url: string, more = "", options = ""): string {
  return `import os

from alembic import context
from sqlalchemy import create_engine, pool
${more}
url = ${url}.replace("postgresql://", "postgresql+psycopg://", 1)

if context.is_offline_mode():
    context.configure(url=url${options})
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection${options})
        with context.begin_transaction():
            context.run_migrations()
`;
}

const plainEnv = env('os.environ["DATABASE_URL"]');

/** A revision that creates a table. */
function revision(id: string, down: string | null, table: string, more = ""): string {
  return `"""Revision ${id}"""
import sqlalchemy as sa
from alembic import context, op
${more}
revision = "${id}"
down_revision = ${down === null ? "None" : `"${down}"`}


def upgrade():
    op.create_table(${table}, sa.Column("id", sa.BigInteger, primary_key=True))


def downgrade():
    op.drop_table(${table})
`;
}

/** A Flask application with Flask-Migrate. */
export const flaskApp = `import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
migrate = Migrate()


def create_app():
    app = Flask("carts")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
    db.init_app(app)
    migrate.init_app(app, db)
    return app
`;

/** A project that Alembic accepts, and what its lockfile contains. */
export interface Layout {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Files that are not in the image, because it has them in an installed package. */
  readonly installed?: readonly string[];
  /** Files of a developer's machine, which are not in the image. */
  readonly local?: readonly string[];
  /** Command that makes the project's other files. */
  readonly init?: readonly string[];
  readonly options?: readonly string[];
  readonly alembic?: Partial<Lock["alembic"]>;
  readonly locked: readonly string[];
  readonly locations: readonly string[];
  readonly tables: readonly string[];
  /** Other files that are locked, if they are compared. */
  readonly others?: readonly string[];
}

const pyproject = `[tool.alembic]
script_location = "%(here)s/alembic"
prepend_sys_path = ["."]
version_locations = ["%(here)s/alembic/versions", "%(here)s/billing"]
`;
const logging = "[alembic]\n[loggers]\nkeys = root\n";
const pythonPackage = `[build-system]
requires = ["setuptools==80.9.0"]
build-backend = "setuptools.build_meta"

[project]
name = "parcels"
version = "1.0"

[tool.setuptools.packages.find]
where = ["src"]
namespaces = true
`;
const twoFolders = {
  "alembic/env.py": plainEnv,
  "alembic/versions/one.py": revision("one", null, '"one"'),
  "billing/two.py": revision("two", "one", '"two"'),
};
const folders = {
  locked: ["alembic/versions/one.py", "billing/two.py"],
  locations: ["alembic/versions", "billing"],
  tables: ["one", "two"],
};

export const layouts: readonly Layout[] = [
  { name: "pyproject.toml alone", files: { "pyproject.toml": pyproject, ...twoFolders }, ...folders },
  {
    name: "pyproject.toml and alembic.ini",
    files: { "pyproject.toml": pyproject, "alembic.ini": logging, ...twoFolders },
    ...folders,
  },
  {
    name: "configuration at other paths",
    files: {
      "deploy/pyproject.toml": pyproject.replaceAll("here)s", "here)s/.."),
      "deploy/db.ini": logging,
      ...twoFolders,
    },
    options: ["--config", "deploy/pyproject.toml", "--config", "deploy/db.ini"],
    alembic: { config: ["deploy/pyproject.toml", "deploy/db.ini"] },
    ...folders,
  },
  {
    name: "an installed package",
    files: {
      "alembic.ini": "[alembic]\nscript_location = parcels:migrations\n",
      "pyproject.toml": pythonPackage,
      "src/parcels/__init__.py": "",
      "src/parcels/migrations/env.py": plainEnv,
      "src/parcels/migrations/versions/one.py": revision("one", null, '"one"'),
    },
    installed: ["src", "pyproject.toml"],
    locked: ["parcels:migrations/versions/one.py"],
    locations: ["parcels:migrations/versions"],
    tables: ["one"],
  },
  {
    name: "a package that is not installed",
    files: {
      "alembic.ini": "[alembic]\nscript_location = parcels:migrations\nprepend_sys_path = src\n",
      "src/parcels/__init__.py": "",
      "src/parcels/migrations/env.py": plainEnv,
      "src/parcels/migrations/versions/one.py": revision("one", null, '"one"'),
    },
    locked: ["parcels:migrations/versions/one.py"],
    locations: ["parcels:migrations/versions"],
    tables: ["one"],
  },
  {
    name: "Flask-Migrate",
    files: {
      "shop.py": flaskApp,
      "migrations/versions/one.py": revision("one", null, "current_app.name", "from flask import current_app"),
    },
    init: ["flask", "--app", "shop:create_app", "db", "init"],
    options: ["--flask-app", "shop:create_app"],
    alembic: { flaskApp: "shop:create_app" },
    locked: ["migrations/versions/one.py"],
    locations: ["migrations/versions"],
    tables: ["carts"],
  },
  {
    name: "Flask-Migrate with another folder and arguments",
    files: {
      "shop.py": flaskApp,
      "db/versions/one.py": revision("one", null, 'context.get_x_argument(as_dictionary=True)["table"]'),
    },
    init: ["flask", "--app", "shop:create_app", "db", "init", "--directory", "db"],
    options: ["--flask-app", "shop:create_app", "--config", "db/alembic.ini", "-x", "table=named"],
    alembic: { flaskApp: "shop:create_app", config: ["db/alembic.ini"], x: ["table=named"] },
    locked: ["db/versions/one.py"],
    locations: ["db/versions"],
    tables: ["named"],
  },
  {
    name: "arguments of -x",
    files: {
      "alembic.ini": "[alembic]\nscript_location = alembic\n",
      "alembic/env.py": env('os.environ["DATABASE_URL"]', 'x = context.get_x_argument(as_dictionary=True)["a"]'),
      "alembic/versions/one.py": revision("one", null, '"".join(context.get_x_argument())'),
    },
    options: ["-x", "a=b c", "-x", "-d"],
    alembic: { x: ["a=b c", "-d"] },
    locked: ["alembic/versions/one.py"],
    locations: ["alembic/versions"],
    tables: ["a=b c-d"],
  },
  {
    name: "a URL of alembic.ini that env.py completes",
    files: {
      "alembic.ini": "[alembic]\nscript_location = alembic\nsqlalchemy.url = %(URL)s?application_name=%(NAME)s\n",
      "alembic/env.py": env(
        'context.config.get_main_option("sqlalchemy.url")',
        'for name, value in {"URL": os.environ["DATABASE_URL"], "NAME": "100%"}.items():\n    context.config.set_main_option(name, value)',
      ),
      "alembic/versions/one.py": revision("one", null, '"one"'),
    },
    locked: ["alembic/versions/one.py"],
    locations: ["alembic/versions"],
    tables: ["one"],
  },
  {
    name: "the app's folder as the script folder",
    files: {
      "alembic.ini": "[alembic]\nscript_location = .\nprepend_sys_path = .\n",
      "env.py": env(
        'os.environ["DATABASE_URL"]',
        'import shop.settings\nif os.path.exists("local.cfg"):\n    open("local.cfg").close()',
      ),
      "shop/__init__.py": "",
      "shop/settings.py": "from dotenv import load_dotenv\nload_dotenv('.env')",
      "shop/tables.py": 'THREE = "three"',
      "data/four.sql": "CREATE TABLE four ()",
      "local.cfg": "",
      ".env": "DEBUG=1",
      "versions/one.py": revision("one", null, '"one"', "import shop.settings"),
      "versions/two.sql": "CREATE TABLE two ()",
      "versions/two.py": `"""After a query"""
from alembic import op
from sqlalchemy import text
revision = "two"
down_revision = "one"
def upgrade():
    op.get_bind().execute(text("SELECT 1")).scalar()
    op.execute(open("versions/two.sql").read())
    from shop.tables import THREE
    op.execute(f"CREATE TABLE {THREE} ()")
    op.execute(open("data/four.sql").read())
`,
    },
    local: [".env", "local.cfg"],
    locked: ["versions/one.py", "versions/two.py"],
    locations: ["versions"],
    tables: ["one", "two", "three", "four"],
    others: ["env.py", "shop/__init__.py", "shop/settings.py", "versions/two.sql"],
  },
];
