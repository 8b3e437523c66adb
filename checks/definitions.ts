import { newestServingPod } from "../cluster/pods.ts";
import { names, ports } from "../manifests/names.ts";
import type { Check } from "./check.ts";
import { judgeHealth, judgePlugins, judgeRevision, judgeTables } from "./judge.ts";
import type { CheckName } from "./names.ts";
import { pods } from "./pods.ts";
import type { Expected, Finding } from "./result.ts";

const backendUrl = `http://localhost:${ports.backend}`;

/** Lists the database's tables from inside the backend's container, with the credentials that only pods have. */
const listTables = `
import os, sqlalchemy
url = sqlalchemy.make_url(os.environ["DATABASE_URL"])
if url.drivername in ("postgres", "postgresql"):
    url = url.set(drivername="postgresql+psycopg")
with sqlalchemy.create_engine(url).connect() as connection:
    inspector = sqlalchemy.inspect(connection)
    for schema in inspector.get_schema_names():
        prefix = "" if schema == inspector.default_schema_name else f"{schema}."
        print(*(prefix + table for table in inspector.get_table_names(schema)), sep="\\n")
`;

function byHand({ context, namespace }: Expected, target: string, command: string): string {
  return `kubectl --context ${context} exec -n ${namespace} ${target} -- ${command}`;
}

/** A check that runs a command in the backend's newest pod and judges what it prints. */
function inBackend(
  title: string,
  hand: (expected: Expected) => string,
  command: readonly string[],
  judge: (output: string, expected: Expected) => Finding,
  input = "",
): Check {
  return {
    title,
    command: hand,
    async run(kubectl, expected) {
      const pod = await newestServingPod(kubectl, names.backend);
      return judge(await kubectl.exec(pod, names.backend, command, input), expected);
    },
  };
}

/** A command in the backend's container that a person would type just like that. */
function plainly(...command: readonly string[]): (expected: Expected) => string {
  return (expected) => byHand(expected, `deployment/${names.backend}`, command.join(" "));
}

const current = ["alembic", "current"];
const health = ["curl", "-s", "--max-time", "10", `${backendUrl}/health`];
const plugins = ["curl", "-s", "--max-time", "10", `${backendUrl}/api/plugins`];
const psql = `psql -U ${names.databaseOwner} -d ${names.database} -c '\\dt'`;

/** Every check, by its name. */
export const checks: Record<CheckName, Check> = {
  revision: inBackend("The database is at the head, in one row.", plainly(...current), current, judgeRevision),
  pods,
  health: inBackend("The backend and its database are healthy.", plainly(...health), health, judgeHealth),
  plugins: inBackend("The backend lists its plugins.", plainly(...plugins), plugins, judgePlugins),
  tables: inBackend(
    "The database has every table of the chain.",
    (expected) => byHand(expected, `deployment/${names.postgres}`, psql),
    ["python", "-"],
    judgeTables,
    listTables,
  ),
};
