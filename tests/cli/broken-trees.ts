import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckName } from "../../src/checks/names.ts";

/** Something that is wrong with the backend's tree in its image, or with its environment. */
export interface BrokenTree {
  readonly what: string;
  /** Changes the files of a copy of `backend/`. */
  readonly breach?: (folder: string) => void;
  /** Of the pod. @defaultValue one that points to the stack's database */
  readonly databaseUrl?: string;
  /** Expected results of the checks `image` and `database-host` that fail. */
  readonly failed: Readonly<Partial<Record<CheckName, string>>>;
}

const versions = "alembic/versions";
const first = `${versions}/6a00ea433c25_initial.py`;
const remove = (file: string) => (folder: string) => rmSync(join(folder, file));
const write = (file: string, text: string) => (folder: string) => writeFileSync(join(folder, file), text);

/** An env.py that has an address of its own. */
const fixedAddress = `from sqlalchemy import create_engine
from alembic import context
engine = create_engine("sqlite://")
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`;

/** Chain with an irreversible revision, which has a test of its own. */
export const brokenChains: readonly CheckName[] = ["reversible"];

export const brokenTrees: readonly BrokenTree[] = [
  {
    what: "no alembic.ini",
    breach: remove("alembic.ini"),
    failed: { image: "alembic.ini is missing, env.py failed with" },
  },
  {
    what: "an alembic.ini that can't be read",
    breach: write("alembic.ini", "script_location = alembic\n"),
    failed: { image: "alembic.ini can't be read" },
  },
  {
    what: "a password in alembic.ini",
    breach: (folder) => {
      const file = join(folder, "alembic.ini");
      const url = "sqlalchemy.url = postgresql://u:hunter2@h/d";
      writeFileSync(file, readFileSync(file, "utf8").replace("[alembic]", `[alembic]\n${url}`));
    },
    failed: { image: "alembic.ini contains a password" },
  },
  {
    what: "an env.py that doesn't read the environment",
    breach: write("alembic/env.py", fixedAddress),
    failed: { image: "env.py does not read DATABASE_URL" },
  },
  {
    what: "an env.py that is none",
    breach: write("alembic/env.py", "import nothing_of_this_name\n"),
    failed: { image: "env.py failed with ModuleNotFoundError" },
  },
  { what: "a revision that is missing", breach: remove(first), failed: { image: `${first} is missing` } },
  {
    what: "a revision that was changed after it was locked",
    breach: (folder) => appendFileSync(join(folder, first), "\n# changed\n"),
    failed: { image: `${first} differs from the lockfile` },
  },
  {
    what: "a revision that the lock lacks",
    breach: write(`${versions}/extra.py`, 'revision = "extra"\ndown_revision = "add_plugin_execution"\n'),
    failed: { image: `${versions}/extra.py is not in the lockfile` },
  },
  {
    what: "another database's host",
    databaseUrl: "postgresql://homelab_user:hunter2@elsewhere:5432/homelab_db",
    failed: { "database-host": "different host (value hidden)" },
  },
  {
    what: "another port and another database",
    databaseUrl: "postgresql://homelab_user:hunter2@postgres-service:5433/other",
    failed: { "database-host": "different port and database (value hidden)" },
  },
  { what: "no DATABASE_URL", databaseUrl: "", failed: { "database-host": "DATABASE_URL is not set" } },
  {
    what: "an address of another kind of database",
    databaseUrl: "mysql://homelab_user:hunter2@postgres-service/homelab_db",
    failed: { "database-host": "not a PostgreSQL URL with a host (value hidden)" },
  },
];
