import { nameLabel, names } from "../manifests/names.ts";
import type { LiveJob } from "../migrations/job-identity.ts";
import type { Reading } from "../migrations/live-state.ts";
import type { Kubectl } from "./kubectl.ts";
import { workloadSelector } from "./pods.ts";

/** What the cluster says at the start of an update. */
export interface Live {
  readonly reading: Reading;
  /** The migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
}

/** How long each question may take: the list is asked beside the pods, which are asked one after the other. */
const bounds = { listSeconds: 3, execSeconds: 1.5 } as const;

/**
 * Prints the rows of `alembic_version` as JSON, `null` if there is no such table, in a transaction that can't write.
 * For any image: Python 3.6, psycopg, psycopg2 or whatever driver SQLAlchemy has. It never prints the URL.
 */
const askByPython = `
import json, os, re, sys
from urllib.parse import unquote
url = os.environ.get("DATABASE_URL", "")
plain = re.sub(r"^postgres(ql)?([+]\\w+)?:", "postgresql:", url)
def connect():
    for driver in ("psycopg", "psycopg2"):
        try:
            return __import__(driver).connect(plain, connect_timeout=2)
        except ImportError:
            pass
    import sqlalchemy
    return sqlalchemy.create_engine(url).raw_connection()
try:
    if not url:
        raise ValueError("DATABASE_URL is not set in the pod")
    # Of a value that is no URL, an error would repeat parts, and of a password that isn't percent-encoded.
    if not re.match(r"postgresql://([^/?#@\\s]*@)?[^/?#@\\s]*(/[^?#@]*)?([?].*)?$", plain):
        raise ValueError("DATABASE_URL (not shown) is no URL of a PostgreSQL database")
    cursor = connect().cursor()
    cursor.execute("SET TRANSACTION READ ONLY")
    cursor.execute("SET LOCAL statement_timeout = 1500")
    cursor.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
    rows = None
    if cursor.fetchone()[0]:
        cursor.execute("SELECT version_num FROM alembic_version ORDER BY 1")
        rows = [row[0] for row in cursor.fetchall()]
    print(json.dumps(rows))
except Exception as error:
    message = str(error).replace(url or "\\n", "[secret]").replace(plain or "\\n", "[secret]")
    for found in re.findall(r"://[^:/]*:([^@]+)@|[?&]password=([^&]+)", url):
        for secret in filter(None, found):
            message = message.replace(secret, "[secret]").replace(unquote(secret), "[secret]")
    sys.exit("%s: %s" % (type(error).__name__, message.strip()))
`;

/** The same for psql. */
const askByPsql = `
BEGIN TRANSACTION READ ONLY;
SET LOCAL statement_timeout = 1500;
SELECT to_regclass('alembic_version') IS NOT NULL AS present \\gset
\\if :present
SELECT coalesce(json_agg(version_num ORDER BY version_num), '[]') FROM alembic_version;
\\else
SELECT 'null';
\\endif
`;

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

/** What a question led to. */
type Answer<T> = { readonly value: T } | { readonly cause: string };
type Rows = readonly string[] | null;

/** A pod that can be asked, and how. */
interface Source {
  readonly workload: string;
  readonly command: readonly string[];
  readonly script: string;
}

const backend: Source = { workload: names.backend, command: ["python", "-"], script: askByPython };
const postgres: Source = {
  workload: names.postgres,
  command: ["psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", "-U", names.databaseOwner, "-d", names.database],
  script: askByPsql,
};

/**
 * Reads where the database is and which migrate Jobs there are: read-only, within {@link bounds}, with what only pods
 * have. It never fails: what can't be asked is part of the answer.
 *
 * @param owned Whether the stack has a PostgreSQL of its own: it is asked first, as psql takes half of Python's time.
 */
export async function readLive(kubectl: Kubectl, owned: boolean): Promise<Live> {
  const sources = owned ? [postgres, backend] : [backend];
  const [listed, answers] = await Promise.all([settled(list(kubectl)), askInTurn(kubectl, sources)]);
  if ("cause" in listed) return { reading: { kind: "unreachable", what: "cluster", cause: listed.cause }, jobs: [] };
  return { reading: chooseReading(sources, answers, listed.value), jobs: listed.value.flatMap(liveJob) };
}

/** Asks until a source answers. */
async function askInTurn(kubectl: Kubectl, sources: readonly Source[]): Promise<readonly Answer<Rows>[]> {
  const answers: Answer<Rows>[] = [];
  for (const source of sources) {
    const answer = await settled(ask(kubectl, source));
    answers.push(answer);
    if ("value" in answer) break;
  }
  return answers;
}

async function settled<T>(question: Promise<T>): Promise<Answer<T>> {
  return question.then(
    (value) => ({ value }),
    (error: unknown) => ({ cause: causeOf(error) }),
  );
}

async function list(kubectl: Kubectl): Promise<readonly Item[]> {
  const selector = workloadSelector(names.backend, names.postgres, names.migrateJob);
  const output = await kubectl.run(["get", "pods,jobs", selector, "--output=json"], "", bounds.listSeconds);
  return (JSON.parse(output) as { items: Item[] }).items;
}

/** @returns The rows that a program in a workload's pod prints. */
async function ask(kubectl: Kubectl, { workload, command, script }: Source): Promise<Rows> {
  const target = [`deployment/${workload}`, `--container=${workload}`, "--pod-running-timeout=1s"];
  const output = await kubectl.run(["exec", "--stdin", ...target, "--", ...command], script, bounds.execSeconds);
  const rows: unknown = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  if (rows === null) return rows;
  if (Array.isArray(rows) && rows.every((row): row is string => typeof row === "string")) return rows;
  throw new Error(`${workload} answered ${output.slice(0, 200)}`);
}

/** The answer; else what kept it away, if there is a pod that should have given one. */
function chooseReading(sources: readonly Source[], answers: readonly Answer<Rows>[], items: readonly Item[]): Reading {
  const answered = answers.find((answer) => "value" in answer);
  if (answered !== undefined) return { kind: "rows", rows: answered.value };
  const causes = sources.flatMap(({ workload }, index) => {
    const answer = answers[index];
    const exists = items.some(({ kind, metadata }) => kind === "Pod" && metadata.labels?.[nameLabel] === workload);
    return exists && answer !== undefined && "cause" in answer ? [`${workload}: ${answer.cause}`] : [];
  });
  if (causes.length === 0) return { kind: "not-deployed" };
  return { kind: "unreachable", what: "database", cause: causes.join("; ") };
}

function liveJob({ kind, metadata, status }: Item): LiveJob[] {
  if (kind !== "Job") return [];
  const has = (...types: string[]) =>
    status.conditions?.some((condition) => types.includes(condition.type) && condition.status === "True");
  const state = has("Failed", "FailureTarget")
    ? "failed"
    : has("Complete", "SuccessCriteriaMet")
      ? "complete"
      : "running";
  const { name, creationTimestamp: created, deletionTimestamp } = metadata;
  return [{ name, state: deletionTimestamp === undefined ? state : "deleting", created }];
}

/** @returns What went wrong as one line. */
function causeOf(reason: unknown): string {
  const text = reason instanceof Error ? reason.message : String(reason);
  const lines = text.split("\n").filter((line) => !/^([EIW]\d{4} |Defaulted container|command terminated)/.test(line));
  return [...new Set(lines.length > 0 ? lines : [text])].join(" ").replaceAll(/\s+/g, " ").trim().slice(0, 500);
}
