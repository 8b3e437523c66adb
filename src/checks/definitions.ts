import { dirname } from "node:path";
import { readSchema } from "../cluster/live-state.ts";
import { chainCommand, commandLine, isInstalled } from "../command-line.ts";
import type { Lock } from "../lockfile/lock.ts";
import { findDrift } from "../plan/drift.ts";
import { quote } from "../shell.ts";
import { type Check, failedFinding, firstWorkload, kubectl, psql } from "./check.ts";
import {
  combineWorkloads,
  evaluateDatabaseHost,
  evaluateExecution,
  evaluateHealth,
  evaluateImage,
  evaluateLogs,
  evaluatePlugins,
  evaluatePods,
  withoutExecutions,
  withoutPods,
} from "./evaluate-backend.ts";
import {
  driftOptions,
  evaluateConstraints,
  evaluateDrift,
  evaluateIndexes,
  evaluatePrivileges,
  evaluateReversible,
  evaluateRevision,
  evaluateSchema,
  evaluateTables,
  withSharedRole,
} from "./evaluate-database.ts";
import type { CheckName } from "./names.ts";
import { backendUrl } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import type { Sources } from "./sources.ts";

/** Returns a command in the first workload's pod. */
const inPod =
  (command: string): Check["command"] =>
  (expected) =>
    kubectl(expected, `exec deployment/${firstWorkload(expected)} -- ${command}`);
const inPsql =
  (sql: string): Check["command"] =>
  (expected) =>
    psql(expected, sql);

/** Returns a check of each workload. */
function ofWorkloads(
  title: string,
  args: (workload: string, expected: Expected) => string,
  evaluate: (sources: Sources, expected: Expected, workload: string) => Promise<CheckFinding>,
): Pick<Check, "title" | "command" | "run"> {
  return {
    title,
    command: (expected) => kubectl(expected, args(firstWorkload(expected), expected)),
    async run(sources, expected) {
      const findings = expected.workloads.map(async (workload): Promise<readonly [string, CheckFinding]> => {
        const finding = evaluate(sources, expected, workload).catch((error) => failedFinding(title, error));
        return [workload, await finding];
      });
      return combineWorkloads(await Promise.all(findings), (workload) => kubectl(expected, args(workload, expected)));
    },
  };
}

/** Returns the files of a chain as a shell's patterns; those in packages have no path. */
function imageFiles({ alembic, files, versionLocations }: Lock): string {
  const configs = alembic.config.length > 0 ? alembic.config : ["alembic.ini"];
  const revisions = versionLocations.map((location) => `${location}/*.py`);
  return [...configs, ...Object.keys(files), ...revisions].filter((file) => !file.includes(":")).join(" ");
}

const onlyHost = "printenv DATABASE_URL | sed 's#.*@##'";

const post = "curl -s -X POST -H 'Content-Type: application/json'";

/** Checks by name. */
export const checks: Record<CheckName, Check> = {
  revision: {
    title: "The database is at the head revision.",
    command: inPod("alembic current"),
    run: async (sources, expected) => {
      const [facts, job] = await Promise.all([sources.database(), sources.job()]);
      return evaluateRevision(facts, expected, job);
    },
  },
  pods: ofWorkloads(
    "Every pod is ready and runs the new release.",
    () => "get pods",
    async (sources, expected, workload) => evaluatePods(await sources.rollout(workload), expected),
  ),
  health: {
    title: "The backend and its database are healthy.",
    command: inPod(`curl -s ${backendUrl}/health`),
    inPod: "health",
    run: async (sources) => evaluateHealth(await sources.inPod("health")),
  },
  plugins: {
    title: "The backend lists its plugins.",
    command: inPod(`curl -s ${backendUrl}/api/plugins`),
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
    command: (expected) => psql(expected, expected.owned ? "\\d plugin*" : "\\d *"),
    run: async (sources, expected) => evaluateSchema(await sources.database(), await sources.schema(), expected),
  },
  drift: {
    title: "The database has the schema that its revisions made when they were rehearsed, and nothing else.",
    command: ({ context, namespace }) => {
      const cluster = context === undefined ? [] : ["--context", quote(context)];
      return commandLine("drift", ...(isInstalled ? [...cluster, "--namespace", namespace] : []));
    },
    async run({ kubectl, database, measured }, expected) {
      const { chain, owned } = expected;
      // It fails where other checks did, without another wait.
      const facts = await database();
      await measured(); // the query of a large schema would slow down the response of /health
      const reading =
        facts && chain.rehearsal
          ? await readSchema(kubectl, chain, { owned, backend: firstWorkload(expected) })
          : { rows: facts?.revisions ?? null };
      return evaluateDrift(reading, await findDrift(reading, chain, driftOptions(expected)));
    },
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
    command: ({ lockFile }) => chainCommand("lock", dirname(lockFile)),
    run: async (_sources, expected) => evaluateReversible(expected),
  },
  image: {
    ...ofWorkloads(
      "The image contains the chain, Alembic's configuration, and an env.py for the database of DATABASE_URL.",
      (workload, { chain }) => `exec deployment/${workload} -- sh -c ${quote(`sha256sum ${imageFiles(chain)}`)}`,
      async (sources, expected, workload) =>
        withoutPods(await sources.rollout(workload)) ?? evaluateImage(await sources.image(workload), expected),
    ),
    inPod: "image",
  },
  "database-host": {
    title: "The backend's DATABASE_URL points to the right database.",
    command: inPod(`sh -c "${onlyHost}"`),
    inPod: "image",
    run: async (sources, expected) => evaluateDatabaseHost(await sources.inPod("image"), expected),
  },
  logs: ofWorkloads(
    "The backend's log contains no database error.",
    (workload) => `logs deployment/${workload} --tail=50`,
    async (sources, _expected, workload) => {
      const [log, rollout] = await Promise.all([sources.logs(workload), sources.rollout(workload)]);
      return evaluateLogs(log, rollout);
    },
  ),
  execution: {
    title: "A plugin can be executed, and the database records it.",
    // A plugin is executed only while it is enabled.
    command: inPod(
      `sh -c "for step in enable execute; do ${post} ${backendUrl}/api/plugins/disk-usage/\\$step; echo; done"`,
    ),
    inPod: "execution",
    run: async (sources, expected) =>
      withoutExecutions(expected) ?? evaluateExecution(await sources.inPod("execution")),
  },
};
