import { lockCommand } from "../lockfile/lock.ts";
import { unity } from "../manifests/app.ts";
import { names } from "../manifests/names.ts";
import type { Check } from "./check.ts";
import { judgeHealth, judgePlugins } from "./evaluate.ts";
import { judgeExecution, withoutExecutions } from "./evaluate-execution.ts";
import { judgeDatabaseHost, judgeImage } from "./evaluate-image.ts";
import { judgeLogs } from "./evaluate-logs.ts";
import { judgePods } from "./evaluate-pods.ts";
import { judgePrivileges, withOneRole } from "./evaluate-privileges.ts";
import { judgeReversible } from "./evaluate-reversible.ts";
import { judgeConstraints, judgeIndexes, judgeRevision, judgeSchema, judgeTables } from "./evaluate-schema.ts";
import type { CheckName } from "./names.ts";
import { backendUrl } from "./pod-facts.ts";
import type { Expected } from "./result.ts";

type Hand = (expected: Expected) => string;

/** A kubectl that a person would type. */
const kubectl =
  (words: string | ((backend: string) => string)): Hand =>
  ({ context, namespace, app = unity }) =>
    `kubectl --context ${context} -n ${namespace} ${typeof words === "string" ? words : words(app.backend)}`;
/** A command in the backend's container. */
const inBackend = (command: string) => kubectl((backend) => `exec deployment/${backend} -- ${command}`);
/** A command or a statement of psql, in the stack's own PostgreSQL. */
const inPsql = (command: string) =>
  kubectl(`exec deployment/${names.postgres} -- psql -U ${names.databaseOwner} -d ${names.database} -c "${command}"`);

const onlyHost = "printenv DATABASE_URL | sed 's#.*@##'";

const post = "curl -s -X POST -H 'Content-Type: application/json'";

/** Every check, by its name. */
export const checks: Record<CheckName, Check> = {
  revision: {
    title: "The database is at the head, in one row.",
    command: inBackend("alembic current"),
    run: async (sources, expected) => judgeRevision(await sources.database(), expected),
  },
  pods: {
    title: "Every pod is ready and runs the new release.",
    command: kubectl("get pods"),
    run: async (sources) => judgePods(await sources.workloads()),
  },
  health: {
    title: "The backend and its database are healthy.",
    command: inBackend(`curl -s ${backendUrl}/health`),
    inPod: "health",
    run: async (sources) => judgeHealth(await sources.inPod("health")),
  },
  plugins: {
    title: "The backend lists its plugins.",
    command: inBackend(`curl -s ${backendUrl}/api/plugins`),
    inPod: "plugins",
    run: async (sources) => judgePlugins(await sources.inPod("plugins")),
  },
  tables: {
    title: "The database has every table of the chain.",
    command: inPsql("\\dt"),
    run: async (sources, expected) => judgeTables(await sources.database(), expected),
  },
  schema: {
    title: "The database has the columns, foreign keys and indexes of the chain.",
    command: inPsql("\\d plugin*"),
    run: async (sources, expected) => judgeSchema(await sources.database(), await sources.schema(), expected),
  },
  indexes: {
    title: "No index is INVALID.",
    command: inPsql("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"),
    run: async (sources) => judgeIndexes(await sources.database()),
  },
  constraints: {
    title: "No constraint is NOT VALID.",
    command: inPsql("SELECT conrelid::regclass, conname FROM pg_constraint WHERE NOT convalidated"),
    run: async (sources) => judgeConstraints(await sources.database(), await sources.schema()),
  },
  privileges: {
    title: "The application reads and writes every table, and changes no schema.",
    command: inPsql("\\dp"),
    inPod: "privileges",
    run: async (sources, expected) =>
      withOneRole(expected) ?? judgePrivileges(await sources.inPod("privileges"), expected),
  },
  reversible: {
    title: "Every revision has a downgrade, or the stack accepts it without.",
    command: () => lockCommand,
    run: async (_sources, expected) => judgeReversible(expected),
  },
  image: {
    title: "The image holds the chain, alembic.ini and an env.py that reads the environment.",
    command: inBackend("sh -c 'sha256sum alembic.ini alembic/env.py alembic/versions/*.py'"),
    inPod: "image",
    run: async (sources, expected) => judgeImage(await sources.inPod("image"), expected),
  },
  "database-host": {
    title: "The backend's DATABASE_URL points to the right database.",
    command: inBackend(`sh -c "${onlyHost}"`),
    inPod: "image",
    run: async (sources, expected) => judgeDatabaseHost(await sources.inPod("image"), expected),
  },
  logs: {
    title: "The backend's log tells of no database error.",
    command: kubectl((backend) => `logs deployment/${backend} --tail=50`),
    run: async (sources) => {
      const [log, items] = await Promise.all([sources.logs(), sources.workloads()]);
      return judgeLogs(log, items);
    },
  },
  execution: {
    title: "A plugin can be executed, and the database has its row.",
    // A plugin is executed only while it is enabled.
    command: inBackend(
      `sh -c "for step in enable execute; do ${post} ${backendUrl}/api/plugins/disk-usage/\\$step; echo; done"`,
    ),
    inPod: "execution",
    run: async (sources, expected) => withoutExecutions(expected) ?? judgeExecution(await sources.inPod("execution")),
  },
};
