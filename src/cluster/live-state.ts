import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lock } from "../lockfile/lock.ts";
import { type MeasuredTimes, measuredTables } from "../lockfile/measured-times.ts";
import { anyText, finite, fits, list as listOf, mapOf, nullable, object, optional } from "../lockfile/shape.ts";
import { unity } from "../manifests/app.ts";
import { appLabel, lastJobAnnotation, nameLabel, names, serviceAccounts } from "../manifests/names.ts";
import { tenantLabel } from "../manifests/tenant.ts";
import type { TableRows } from "../plan/blocking-time.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import type { DatabaseIdentity, Reading } from "../plan/live-state.ts";
import type { ReleasePod } from "../plan/older-releases.ts";
import {
  type Answer,
  type Answers,
  type Query,
  type QueryOptions,
  queryDatabase,
  queryDatabaseOrThrow,
  settled,
} from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";
import { liveSchemaOf, liveSchemaQuery } from "./live-schema.ts";
import {
  appContainer,
  isOurs,
  type Job,
  jobState,
  type LiveObject,
  type LiveObjects,
  objectsOf,
  type Pod,
  planOfJob,
} from "./objects.ts";
import { releasePod } from "./pods.ts";
import { readRollbackWindow } from "./rollback-window.ts";
import { readSecretKeys, type SecretKeys } from "./secrets.ts";
import { rowsQuery } from "./table-statistics.ts";

/** State of the cluster at the start of an update. */
export interface Live {
  readonly reading: Reading;
  /** Migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  /** Pods of the backend that recorded their release. */
  readonly pods: readonly ReleasePod[];
  /** Objects with the names of this project's objects, managed or not. */
  readonly objects: LiveObjects;
  /**
   * Major version of the data of the stack's own PostgreSQL.
   *
   * @defaultValue not read: its image doesn't change, or it isn't running
   */
  readonly dataMajor?: number | undefined;
}

/** Query of the {@link DatabaseIdentity}, which the runner runs, too. */
const identityQuery = readFileSync(join(import.meta.dirname, "..", "runner", "database-identity.sql"), "utf8");

/** The parts of a lockfile that the live state is read with, and the times of its revisions, if tables are to be counted. */
export interface LiveChain extends Pick<Lock, "versionTable" | "revisions" | "rehearsal"> {
  readonly times?: MeasuredTimes | undefined;
}

/**
 * Returns the query of the {@link RevisionsAnswer}, of the schema if the lockfile contains evidence of the expected one, and of
 * the rows of tables if their times were measured.
 */
const revisionsQuery = ({ versionTable: table, rehearsal, times }: LiveChain): Query => ({
  table,
  ...(rehearsal && { more: liveSchemaQuery() }),
  query: `
    SELECT pg_catalog.json_build_object('database', (${identityQuery}), 'rows',
      (SELECT coalesce(pg_catalog.json_agg(version_num ORDER BY version_num), '[]') FROM ONLY :relation)
      ${times === undefined ? "" : `, 'sizes', (${rowsQuery(measuredTables(times))})`})`,
  withoutTable: `SELECT pg_catalog.json_build_object('database', (${identityQuery}), 'rows', null)`,
});

/** A database that was read. */
type ReadRows = Extract<Reading, { readonly kind: "rows" }>;

/** Rows of the version table, sorted; `null` without that table. */
interface RevisionsAnswer {
  readonly database: DatabaseIdentity;
  readonly rows: readonly string[] | null;
  readonly sizes?: TableRows;
}

/**
 * Reads the database's revision and the namespace's objects: read-only, with the credentials that only pods have. It
 * never throws: the reading may be the cause of a failure.
 *
 * @param owned - Whether the stack has its own PostgreSQL.
 * @param chain - The lockfile.
 */
export async function readLive(kubectl: Kubectl, owned: boolean, chain: LiveChain): Promise<Live> {
  const query = revisionsQuery(chain);
  const querying = queryDatabase(kubectl, query, { owned });
  const listed = await settled(list(kubectl));
  if ("cause" in listed) {
    const reading = { kind: "unreachable", what: "cluster", cause: listed.cause } as const;
    return { reading, jobs: [], pods: [], objects: objectsOf([]) };
  }
  const objects = objectsOf(listed.value);
  const [answers, secret] = await Promise.all([
    querying.then((answers) => queryUnmanaged(kubectl, query, objects, answers)),
    databaseSecret(kubectl, objects),
  ]);
  const reading = await withWindow(chooseReading(answers, listed.value), kubectl, { owned }, chain);
  const jobs = objects.jobs.flatMap(liveJob);
  return {
    reading,
    jobs: [...jobs, ...deletedJob(listed.value, jobs)],
    pods: listed.value.flatMap((item) => (item.kind === "Pod" && isUnitys(item) ? releasePod(item) : [])),
    objects: { ...objects, secret },
  };
}

/**
 * Reads the database's revision from the first source that answers. It never throws.
 *
 * @param sources - Pods, as kubectl names them, and their containers.
 */
export async function readRevisions(
  kubectl: Kubectl,
  chain: LiveChain,
  sources: readonly Pick<QueryOptions, "object" | "container">[],
): Promise<Reading> {
  const causes: string[] = [];
  for (const source of sources) {
    const options = { ...source, owned: false };
    for (const answer of await queryDatabase(kubectl, revisionsQuery(chain), options)) {
      const reading = readingOf(answer);
      if (typeof reading !== "string") return withWindow(reading, kubectl, options, chain);
      causes.push(`${source.object}: ${reading}`);
    }
  }
  if (causes.length === 0) return { kind: "not-deployed" };
  return { kind: "unreachable", what: "database", cause: causes.join("; ") };
}

/**
 * Reads the database's revision, and its schema if the lockfile contains evidence of the expected one.
 *
 * @throws {Error} If the database can't be queried: with each pod's cause.
 */
export async function readSchema(kubectl: Kubectl, chain: LiveChain, options: QueryOptions): Promise<ReadRows> {
  const reading = readingOf(await queryDatabaseOrThrow(kubectl, revisionsQuery(chain), options));
  if (typeof reading === "string") throw new Error(reading);
  return reading;
}

/** Returns the reading of an answer, or why there is none. */
function readingOf(answer: Answer): ReadRows | string {
  if ("cause" in answer) return answer.cause;
  if (!isRevisions(answer.value)) return `unexpected response: ${JSON.stringify(answer.value).slice(0, 200)}`;
  const { rows, database, sizes } = answer.value;
  const schema = liveSchemaOf(answer);
  return { kind: "rows", rows, database, ...(sizes && { sizes }), ...(schema && { schema }) };
}

/** Adds the rollback window, if the chain lacks the database's revision. */
async function withWindow(
  reading: Reading,
  kubectl: Kubectl,
  options: QueryOptions,
  chain: LiveChain,
): Promise<Reading> {
  if (reading.kind !== "rows") return reading;
  const window = await readRollbackWindow(kubectl, chain, reading.rows ?? [], options);
  return window === undefined ? reading : { ...reading, window };
}

/** Whether a pod has the gate of Unity, and not that of another app in the namespace. */
function isUnitys({ metadata }: Pod): boolean {
  return metadata.labels?.[appLabel] === unity.partOf;
}

async function list(kubectl: Kubectl): Promise<readonly LiveObject[]> {
  const kinds = "jobs,deployments,services,persistentvolumeclaims,serviceaccounts,pods";
  const output = await kubectl.run(["get", kinds, "--output=json"]);
  return (JSON.parse(output) as { items: LiveObject[] }).items;
}

/** Queries again from the app's container of an unmanaged backend, where it is not the pod's first one. */
async function queryUnmanaged(
  kubectl: Kubectl,
  query: Query,
  { backend }: LiveObjects,
  answers: Answers,
): Promise<Answers> {
  if (backend === undefined || isOurs(backend) || answers.some((answer) => "value" in answer)) return answers;
  const container = appContainer(backend);
  if (container === undefined || container === backend.spec.template.spec.containers[0]) return answers;
  const options = { owned: false, container: container.name };
  const retried = await queryDatabase(kubectl, query, options);
  return retried.some((answer) => "value" in answer) ? retried : answers;
}

/** Reads the keys of the Secret that has the name of the stack's, where no stack has declared the backend. */
async function databaseSecret(kubectl: Kubectl, { backend }: LiveObjects): Promise<SecretKeys | undefined> {
  if (backend !== undefined && isOurs(backend)) return undefined;
  const read = await settled(readSecretKeys(kubectl, names.databaseSecret));
  return "value" in read ? read.value : undefined;
}

/** Returns the answer, or the causes of the workloads that have pods. */
function chooseReading(answers: Answers, items: readonly LiveObject[]): Reading {
  const causes: string[] = [];
  for (const answer of answers) {
    const reading = readingOf(answer);
    if (typeof reading !== "string") return reading;
    if (items.some((item) => hasPods(item, answer.workload))) causes.push(`${answer.workload}: ${reading}`);
  }
  if (causes.length === 0) return { kind: "not-deployed" };
  return { kind: "unreachable", what: "database", cause: causes.join("; ") };
}

function hasPods(item: LiveObject, workload: string): boolean {
  return item.kind === "Deployment" && item.metadata.name === workload && (item.status?.replicas ?? 0) > 0;
}

const revisionsShape = object({
  database: object({ name: anyText, oid: anyText, system: nullable(anyText) }),
  rows: nullable(listOf(anyText)),
  sizes: optional(mapOf(finite)),
});

function isRevisions(value: unknown): value is RevisionsAnswer {
  return fits(value, revisionsShape);
}

/** Returns a migrate Job, of this project or an operator's; those of tenants have their own plans. */
function liveJob(job: Job): LiveJob[] {
  const { name, labels, creationTimestamp: created } = job.metadata;
  const isMigration = labels?.[nameLabel] === names.migrateJob || name.startsWith(names.migrateJob);
  if (!isMigration || labels?.[tenantLabel] !== undefined) return [];
  return [{ name, state: jobState(job), created, plan: planOfJob(job) }];
}

/** Returns the Job that an update waited for last, if it was deleted since. */
function deletedJob(items: readonly LiveObject[], jobs: readonly LiveJob[]): LiveJob[] {
  const account = items.find(
    ({ kind, metadata }) => kind === "ServiceAccount" && metadata.name === serviceAccounts.migrations,
  );
  const last = account?.metadata.annotations?.[lastJobAnnotation];
  return last === undefined || jobs.some(({ name }) => name === last) ? [] : [{ name: last, state: "gone" }];
}
