import { checks } from "../../checks/definitions.ts";
import { type CheckName, checkNames } from "../../checks/names.ts";
import type { Expected } from "../../checks/result.ts";
import { names, ports } from "../../manifests/names.ts";

/** A command that verifies a deployment manually. */
export interface ExpectedOutput {
  /** The property that it verifies. */
  readonly title: string;
  readonly command: string;
  /** Expected lines; `…` stands for what varies. */
  readonly output: readonly string[];
}

/** Returns the output of psql for a query without rows. */
function noRows(...columns: readonly string[]): readonly string[] {
  return [` ${columns.join(" | ")}`, columns.map((column) => "-".repeat(column.length + 2)).join("+"), "(0 rows)"];
}

const samples: Readonly<Record<CheckName, (expected: Expected) => readonly string[]>> = {
  revision: ({ head }) => [`${head} (head)`],
  pods: () => [`${names.backend}-…   1/1   Running   …`],
  health: ({ head }) => [
    "{",
    '  "status": "healthy",',
    `  "components": { "database": { "status": "healthy", "revision": "${head}", … } }`,
    "}",
  ],
  plugins: () => ['[{"id":"…","name":"…","version":"…","enabled":…}, …]'],
  tables: ({ tables }) => tables.map((table) => ` public | ${table} | table | ${names.databaseOwner}`),
  schema: ({ tables }) =>
    tables.filter((table) => table.startsWith("plugin")).map((table) => `Table "public.${table}" …`),
  drift: ({ head }) => [`Drift: none, compared with the schema at ${head}`],
  indexes: () => noRows("indexrelid"),
  constraints: () => noRows("conrelid", "conname"),
  privileges: ({ tables, applicationRole: role }) =>
    role === undefined
      ? ["…"]
      : tables.map((table) => ` public | ${table} | table | …${role}=arwd/${names.databaseOwner}…`),
  reversible: ({ chain, head }) => [
    `backend/migrations.lock.json is up to date: ${chain.revisions.length} revisions, head ${head}`,
  ],
  image: ({ chain }) => [
    "…  alembic.ini",
    "…  alembic/env.py",
    ...chain.revisions
      .map(({ sha256, file }) => ({ sha256, file }))
      .sort((a, b) => (a.file < b.file ? -1 : 1))
      .map(({ sha256, file }) => `${sha256}  ${file}`),
  ],
  "database-host": ({ owned }) => (owned ? [`${names.postgresService}:${ports.postgres}/${names.database}`] : ["…"]),
  logs: () => ["…"],
  execution: () => ['{"id":"disk-usage",…,"enabled":true}', '{"id":…,…,"status":"succeeded",…}'],
};

/** Returns the commands that verify a release like the checks of `pulumi up`, with their expected output. */
export function expectedOutputs(expected: Expected): readonly ExpectedOutput[] {
  return checkNames.map((name) => ({
    title: checks[name].title,
    command: checks[name].command(expected),
    output: samples[name](expected),
  }));
}
