import { chainCommand } from "../command-line.ts";
import { kubectlCommand } from "../kubectl-command.ts";
import { unity } from "../manifests/app.ts";
import { names } from "../manifests/names.ts";
import {
  evaluateDatabaseHost,
  evaluateExecution,
  evaluateHealth,
  evaluateImage,
  evaluateLogs,
  evaluatePlugins,
  evaluatePods,
  withoutExecutions,
} from "./evaluate-backend.ts";
import {
  evaluateConstraints,
  evaluateIndexes,
  evaluatePrivileges,
  evaluateReversible,
  evaluateRevision,
  evaluateSchema,
  evaluateTables,
  withSharedRole,
} from "./evaluate-database.ts";
import type { CheckName } from "./names.ts";
import { backendUrl, type PodFacts } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import type { Sources } from "./sources.ts";

/** Verification of a deployed release. */
interface Check {
  /** Statement that it verifies. */
  readonly title: string;
  /** Returns the command that reproduces the result. */
  command(expected: Expected): string;
  /** Facts that it requests from the backend's pod. */
  readonly inPod?: keyof PodFacts;
  /** Evaluates the sources; an error fails the check. */
  run(sources: Sources, expected: Expected): Promise<CheckFinding>;
}

/** Returns a kubectl command. */
const kubectl =
  (args: string | ((backend: string) => string)): Check["command"] =>
  ({ app = unity, ...target }) =>
    `${kubectlCommand(target)} ${typeof args === "string" ? args : args(app.backend)}`;
/** Returns a command in the backend's container. */
const inBackend = (command: string) => kubectl((backend) => `exec deployment/${backend} -- ${command}`);
/** Returns a psql command or statement in the stack's own PostgreSQL. */
const inPsql = (command: string) =>
  kubectl(`exec deployment/${names.postgres} -- psql -U ${names.databaseOwner} -d ${names.database} -c "${command}"`);

const onlyHost = "printenv DATABASE_URL | sed 's#.*@##'";

const post = "curl -s -X POST -H 'Content-Type: application/json'";

/** Checks by name. */
export const checks: Record<CheckName, Check> = {
  revision: {
    title: "The database is at the head revision.",
    command: inBackend("alembic current"),
    run: async (sources, expected) => {
      const [facts, job] = await Promise.all([sources.database(), sources.job()]);
      return evaluateRevision(facts, expected, job);
    },
  },
  pods: {
    title: "Every pod is ready and runs the new release.",
    command: kubectl("get pods"),
    run: async (sources, expected) => evaluatePods(await sources.workloads(), expected),
  },
  health: {
    title: "The backend and its database are healthy.",
    command: inBackend(`curl -s ${backendUrl}/health`),
    inPod: "health",
    run: async (sources) => evaluateHealth(await sources.inPod("health")),
  },
  plugins: {
    title: "The backend lists its plugins.",
    command: inBackend(`curl -s ${backendUrl}/api/plugins`),
    inPod: "plugins",
    run: async (sources) => evaluatePlugins(await sources.inPod("plugins")),
  },
  tables: {
    title: "The database has every table of the chain.",
    command: inPsql("\\dt"),
    run: async (sources, expected) => evaluateTables(await sources.database(), expected),
  },
  schema: {
    title: "The database has the columns, foreign keys, and indexes of the chain.",
    command: inPsql("\\d plugin*"),
    run: async (sources, expected) => evaluateSchema(await sources.database(), await sources.schema(), expected),
  },
  indexes: {
    title: "No index is invalid.",
    command: inPsql("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"),
    run: async (sources) => evaluateIndexes(await sources.database()),
  },
  constraints: {
    title: "No constraint is unvalidated.",
    command: inPsql("SELECT conrelid::regclass, conname FROM pg_constraint WHERE NOT convalidated"),
    run: async (sources) => evaluateConstraints(await sources.database(), await sources.schema()),
  },
  privileges: {
    title: "The application can read and write every table, but not change the schema.",
    command: inPsql("\\dp"),
    inPod: "privileges",
    run: async (sources, expected) =>
      withSharedRole(expected) ?? evaluatePrivileges(await sources.inPod("privileges"), expected),
  },
  reversible: {
    title: "Every revision has a downgrade or an approval.",
    command: () => chainCommand("lock"),
    run: async (_sources, expected) => evaluateReversible(expected),
  },
  image: {
    title: "The image contains the chain, Alembic's configuration, and an env.py that reads DATABASE_URL.",
    command: inBackend("sh -c 'sha256sum alembic.ini alembic/env.py alembic/versions/*.py'"),
    inPod: "image",
    run: async (sources, expected) => evaluateImage(await sources.inPod("image"), expected),
  },
  "database-host": {
    title: "The backend's DATABASE_URL points to the right database.",
    command: inBackend(`sh -c "${onlyHost}"`),
    inPod: "image",
    run: async (sources, expected) => evaluateDatabaseHost(await sources.inPod("image"), expected),
  },
  logs: {
    title: "The backend's log contains no database error.",
    command: kubectl((backend) => `logs deployment/${backend} --tail=50`),
    run: async (sources) => {
      const [log, items] = await Promise.all([sources.logs(), sources.workloads()]);
      return evaluateLogs(log, items);
    },
  },
  execution: {
    title: "A plugin can be executed, and the database records it.",
    // A plugin is executed only while it is enabled.
    command: inBackend(
      `sh -c "for step in enable execute; do ${post} ${backendUrl}/api/plugins/disk-usage/\\$step; echo; done"`,
    ),
    inPod: "execution",
    run: async (sources, expected) =>
      withoutExecutions(expected) ?? evaluateExecution(await sources.inPod("execution")),
  },
};
