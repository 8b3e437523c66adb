import { lastJobAnnotation, nameLabel, names, serviceAccounts } from "../manifests/names.ts";
import { tenantLabel } from "../manifests/tenant.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import type { Reading } from "../plan/live-state.ts";
import { type Answers, type Query, queryDatabase, settled } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";
import { appContainer, isOurs, type Job, jobState, type LiveObject, type LiveObjects, objectsOf } from "./objects.ts";

/** What the cluster says at the start of an update. */
export interface Live {
  readonly reading: Reading;
  /** The migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  /** What is there under this project's names, whoever made it. */
  readonly objects: LiveObjects;
}

/** How long each question may take: the list is asked beside the pods, which are asked one after the other. */
const bounds = { listSeconds: 10, podSeconds: 10 } as const;

/** The rows of `alembic_version`, sorted. */
const revisionsQuery: Query = {
  table: "alembic_version",
  query: "SELECT coalesce(json_agg(version_num ORDER BY version_num), '[]') FROM alembic_version",
};

/**
 * Reads where the database is and which migrate Jobs there are: read-only, within 10 s, with what only pods have. It
 * never fails: what can't be asked is part of the answer.
 *
 * @param owned Whether the stack has a PostgreSQL of its own.
 */
export async function readLive(kubectl: Kubectl, owned: boolean): Promise<Live> {
  const asking = queryDatabase(kubectl, owned, revisionsQuery, bounds.podSeconds);
  const listed = await settled(list(kubectl));
  if ("cause" in listed) {
    const reading = { kind: "unreachable", what: "cluster", cause: listed.cause } as const;
    return { reading, jobs: [], objects: objectsOf([]) };
  }
  const objects = objectsOf(listed.value);
  const [answers, secretKeys] = await Promise.all([
    asking.then((answers) => askAgain(kubectl, objects, answers)),
    unmanagedSecretKeys(kubectl, objects),
  ]);
  const reading = chooseReading(answers, listed.value);
  const jobs = objects.jobs.flatMap(liveJob);
  return { reading, jobs: [...jobs, ...goneJob(listed.value, jobs)], objects: { ...objects, secretKeys } };
}

async function list(kubectl: Kubectl): Promise<readonly LiveObject[]> {
  const kinds = "jobs,deployments,services,persistentvolumeclaims,serviceaccounts";
  const output = await kubectl.run(["get", kinds, "--output=json"], "", bounds.listSeconds);
  return (JSON.parse(output) as { items: LiveObject[] }).items;
}

/** Asks a backend that was set up by hand in the container that has the app, where that is not the pod's first one. */
async function askAgain(kubectl: Kubectl, { backend }: LiveObjects, answers: Answers): Promise<Answers> {
  if (backend === undefined || isOurs(backend) || answers.some((answer) => "value" in answer)) return answers;
  const container = appContainer(backend);
  if (container === undefined || container === backend.spec.template.spec.containers[0]) return answers;
  const again = await queryDatabase(kubectl, false, revisionsQuery, bounds.podSeconds, container.name);
  return again.some((answer) => "value" in answer) ? again : answers;
}

/** The keys of a Secret that was made by hand under the name of the stack's; no value gets into the program. */
async function unmanagedSecretKeys(kubectl: Kubectl, { backend }: LiveObjects): Promise<readonly string[] | undefined> {
  if (backend === undefined || isOurs(backend)) return undefined;
  const ours = '{{with .metadata.annotations}}{{index . "pulumi.com/patchForce"}}{{end}}';
  const template = `--template=${ours}|{{range $key, $value := .data}}{{$key}} {{end}}`;
  const args = ["get", "secret", names.databaseSecret, "--ignore-not-found", template];
  const answer = await settled(kubectl.run(args, "", bounds.listSeconds));
  const [mark, keys = ""] = "value" in answer ? answer.value.trim().split("|") : [];
  return mark === "true" || keys === "" ? undefined : keys.split(" ");
}

/** The answer; else what kept it away, if there is a pod that should have given one. */
function chooseReading(answers: Answers, items: readonly LiveObject[]): Reading {
  const answered = answers.find((answer) => "value" in answer);
  if (answered !== undefined && isRows(answered.value)) return { kind: "rows", rows: answered.value };
  const causes = answers.flatMap((answer) => {
    const { workload } = answer;
    const cause = "cause" in answer ? answer.cause : `answered ${JSON.stringify(answer.value).slice(0, 200)}`;
    return items.some((item) => hasPods(item, workload)) ? [`${workload}: ${cause}`] : [];
  });
  if (causes.length === 0) return { kind: "not-deployed" };
  return { kind: "unreachable", what: "database", cause: causes.join("; ") };
}

function hasPods(item: LiveObject, workload: string): boolean {
  return item.kind === "Deployment" && item.metadata.name === workload && (item.status?.replicas ?? 0) > 0;
}

function isRows(value: unknown): value is readonly string[] | null {
  return value === null || (Array.isArray(value) && value.every((row) => typeof row === "string"));
}

/** The Jobs of this project, and one of an operator's under its plain name; those of tenants have plans of their own. */
function liveJob(job: Job): LiveJob[] {
  const { name, labels, creationTimestamp: created } = job.metadata;
  const isMigration = labels?.[nameLabel] === names.migrateJob || name.startsWith(names.migrateJob);
  return isMigration && labels?.[tenantLabel] === undefined ? [{ name, state: jobState(job), created }] : [];
}

/** The Job that was waited for last, if somebody has deleted it since. */
function goneJob(items: readonly LiveObject[], jobs: readonly LiveJob[]): LiveJob[] {
  const isAccount = ({ kind, metadata }: LiveObject) =>
    kind === "ServiceAccount" && metadata.name === serviceAccounts.migrations;
  const last = items.find(isAccount)?.metadata.annotations?.[lastJobAnnotation];
  return last === undefined || jobs.some(({ name }) => name === last) ? [] : [{ name: last, state: "gone" }];
}
