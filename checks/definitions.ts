import { askSurely, type Question } from "../cluster/database-query.ts";
import { revisionsQuestion } from "../cluster/live-state.ts";
import { newestServingPod } from "../cluster/pods.ts";
import { names, ports } from "../manifests/names.ts";
import type { Check } from "./check.ts";
import { judgeHealth, judgePlugins, judgeRevision, judgeTables } from "./judge.ts";
import type { CheckName } from "./names.ts";
import { pods } from "./pods.ts";
import type { Expected, Finding } from "./result.ts";

const backendUrl = `http://localhost:${ports.backend}`;

/** All tables, those outside the default schema with its name. */
const tablesQuestion: Question = {
  table: "pg_tables",
  query: `
    SELECT coalesce(json_agg(CASE WHEN schemaname = current_schema() THEN tablename
      ELSE schemaname || '.' || tablename END), '[]') FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema$)'`,
};

/** How long the backend's pod may take for an answer of the database, in seconds. */
const answerSeconds = 10;

function byHand({ context, namespace }: Expected, target: string, command: string): string {
  return `kubectl --context ${context} exec -n ${namespace} ${target} -- ${command}`;
}

/** A check that runs a command in the backend's newest pod and judges what it prints. */
function inBackend(
  title: string,
  hand: (expected: Expected) => string,
  command: readonly string[],
  judge: (output: string, expected: Expected) => Finding,
): Check {
  return {
    title,
    command: hand,
    async run(kubectl, expected) {
      const pod = await newestServingPod(kubectl, names.backend);
      return judge(await kubectl.exec(pod, names.backend, command), expected);
    },
  };
}

/** A check that asks the database by way of the backend's pod, with the credentials that only pods have. */
function inDatabase(
  title: string,
  hand: (expected: Expected) => string,
  question: Question,
  judge: (answer: unknown, expected: Expected) => Finding,
): Check {
  return {
    title,
    command: hand,
    run: async (kubectl, expected) => judge(await askSurely(kubectl, false, question, answerSeconds), expected),
  };
}

/** A command in the backend's container that a person would type just like that. */
function plainly(...command: readonly string[]): (expected: Expected) => string {
  return (expected) => byHand(expected, `deployment/${names.backend}`, command.join(" "));
}

const health = ["curl", "-s", "--max-time", "10", `${backendUrl}/health`];
const plugins = ["curl", "-s", "--max-time", "10", `${backendUrl}/api/plugins`];
const psql = `psql -U ${names.databaseOwner} -d ${names.database} -c '\\dt'`;

/** Every check, by its name. */
export const checks: Record<CheckName, Check> = {
  revision: inDatabase(
    "The database is at the head, in one row.",
    plainly("alembic", "current"),
    revisionsQuestion,
    judgeRevision,
  ),
  pods,
  health: inBackend("The backend and its database are healthy.", plainly(...health), health, judgeHealth),
  plugins: inBackend("The backend lists its plugins.", plainly(...plugins), plugins, judgePlugins),
  tables: inDatabase(
    "The database has every table of the chain.",
    (expected) => byHand(expected, `deployment/${names.postgres}`, psql),
    tablesQuestion,
    judgeTables,
  ),
};
