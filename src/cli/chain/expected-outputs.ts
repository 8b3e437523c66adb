import { checks } from "../../checks/definitions.ts";
import { type CheckName, checkNames } from "../../checks/names.ts";
import type { Expected } from "../../checks/result.ts";
import { names, ports } from "../../manifests/names.ts";

/** One thing to look at after a deployment, by hand. */
export interface ExpectedOutput {
  /** What it proves. */
  readonly title: string;
  readonly command: string;
  /** What the command prints if all is well, line by line; `…` stands for what may differ. */
  readonly prints: readonly string[];
}

/** What psql prints of a query without rows. */
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
  indexes: () => noRows("indexrelid"),
  constraints: () => noRows("conrelid", "conname"),
  privileges: ({ tables, applicationRole: role }) =>
    role === undefined
      ? ["…"]
      : tables.map((table) => ` public | ${table} | table | …${role}=arwd/${names.databaseOwner}…`),
  reversible: ({ chain, head }) => [
    `backend/migrations.lock.json is what Alembic says: ${chain.revisions.length} revisions, head ${head}`,
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

/** @returns What a person types to see that a release is there, by the checks of `up`, and what that prints. */
export function expectedOutputs(expected: Expected): readonly ExpectedOutput[] {
  return checkNames.map((name) => ({
    title: checks[name].title,
    command: checks[name].command(expected),
    prints: samples[name](expected),
  }));
}
