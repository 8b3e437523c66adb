import { nameLabel, names } from "../manifests/names.ts";
import { tenantLabel } from "../manifests/tenant.ts";
import type { LiveJob } from "../migrations/job-identity.ts";
import type { Reading } from "../migrations/live-state.ts";
import { type Answers, askDatabase, type Question, settled } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";
import { workloadSelector } from "./pods.ts";

/** What the cluster says at the start of an update. */
export interface Live {
  readonly reading: Reading;
  /** The migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
}

/** How long each question may take: the list is asked beside the pods, which are asked one after the other. */
const bounds = { listSeconds: 3, podSeconds: 3 } as const;

/** The rows of `alembic_version`, sorted. */
const revisionsQuestion: Question = {
  table: "alembic_version",
  query: "SELECT coalesce(json_agg(version_num ORDER BY version_num), '[]') FROM alembic_version",
};

/** What is read of a pod and of a Job. */
interface Item {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Record<string, string>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/**
 * Reads where the database is and which migrate Jobs there are: read-only, within 3 s, with what only pods have. It
 * never fails: what can't be asked is part of the answer.
 *
 * @param owned Whether the stack has a PostgreSQL of its own.
 */
export async function readLive(kubectl: Kubectl, owned: boolean): Promise<Live> {
  const asking = askDatabase(kubectl, owned, revisionsQuestion, bounds.podSeconds);
  const listed = await settled(list(kubectl));
  if ("cause" in listed) return { reading: { kind: "unreachable", what: "cluster", cause: listed.cause }, jobs: [] };
  const answers = await asking;
  return { reading: chooseReading(answers, listed.value), jobs: listed.value.flatMap(liveJob) };
}

async function list(kubectl: Kubectl): Promise<readonly Item[]> {
  const selector = workloadSelector(names.backend, names.postgres, names.migrateJob);
  const output = await kubectl.run(["get", "pods,jobs", selector, "--output=json"], "", bounds.listSeconds);
  return (JSON.parse(output) as { items: Item[] }).items;
}

/** The answer; else what kept it away, if there is a pod that should have given one. */
function chooseReading(answers: Answers, items: readonly Item[]): Reading {
  const answered = answers.find((answer) => "value" in answer);
  if (answered !== undefined && isRows(answered.value)) return { kind: "rows", rows: answered.value };
  const causes = answers.flatMap((answer) => {
    const { workload } = answer;
    const exists = items.some(({ kind, metadata }) => kind === "Pod" && metadata.labels?.[nameLabel] === workload);
    const cause = "cause" in answer ? answer.cause : `answered ${JSON.stringify(answer.value).slice(0, 200)}`;
    return exists ? [`${workload}: ${cause}`] : [];
  });
  if (causes.length === 0) return { kind: "not-deployed" };
  return { kind: "unreachable", what: "database", cause: causes.join("; ") };
}

function isRows(value: unknown): value is readonly string[] | null {
  return value === null || (Array.isArray(value) && value.every((row) => typeof row === "string"));
}

function liveJob({ kind, metadata, status }: Item): LiveJob[] {
  // Those of tenants have plans of their own.
  if (kind !== "Job" || metadata.labels?.[tenantLabel] !== undefined) return [];
  const { name, creationTimestamp: created } = metadata;
  return [{ name, state: jobState({ metadata, status }), created }];
}

/** What is read of a Job to know whether it is over. */
export interface JobStatus {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** @returns What a Job does. */
export function jobState({ metadata, status }: JobStatus): LiveJob["state"] {
  const has = (...types: string[]) =>
    status.conditions?.some((condition) => types.includes(condition.type) && condition.status === "True");
  if (metadata.deletionTimestamp !== undefined) return "deleting";
  if (has("Failed", "FailureTarget")) return "failed";
  return has("Complete", "SuccessCriteriaMet") ? "complete" : "running";
}
