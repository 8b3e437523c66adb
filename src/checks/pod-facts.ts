import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kubectl } from "../cluster/kubectl.ts";
import { defaultContainer, type Pod } from "../cluster/objects.ts";
import { answerIn, podProgram, pythonCommand } from "../cluster/pod-program.ts";
import { allReviewedFiles } from "../lockfile/lock.ts";
import { isRecord } from "../lockfile/shape.ts";
import { names, ports } from "../manifests/names.ts";
import { parsed } from "./evaluate-custom.ts";
import type { Expected } from "./result.ts";

/** Facts about the image of the backend's pod, and about its DATABASE_URL without its value. */
export interface ImageFacts {
  /** SHA-256 of each revision file of the chain; `null` if it is missing. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Revision files that are not in the chain. */
  readonly extra: readonly string[];
  /** Whether each part of DATABASE_URL is that of the stack's own database. */
  readonly address: Readonly<Partial<Record<"set" | "url" | "host" | "port" | "database", boolean>>>;
  /** Error of Alembic's configuration. */
  readonly ini: string | null;
  /** Reason for which `env.py` doesn't read the database's address from the environment. */
  readonly env: string | null;
}

/** Facts about the execution of a plugin. */
export type ExecutionFacts =
  | {
      /** Id of the plugin; `null` if none is executable. */
      readonly plugin: string | null;
      /** Its row in the database; `null` if there is none. */
      readonly row?: {
        readonly startedAt: string | null;
        readonly completedAt: string | null;
        readonly status: string;
        readonly error: string | null;
      } | null;
      /** Whether the plugin's enabled state was restored. */
      readonly restored?: boolean;
    }
  | {
      /** The request that the API rejected. */
      readonly problem: string;
      /** HTTP status of the response, 0 without one. */
      readonly status: number;
    };

/** Facts about the database role of the backend. */
export interface PrivilegeFacts {
  readonly role: string;
  /** Missing privileges by table: `SELECT`, `INSERT`, `UPDATE`, or `DELETE`. */
  readonly lacking: Readonly<Record<string, readonly string[]>>;
  /** Privileges on the schema, such as `create a table`. */
  readonly excess: readonly string[];
}

/** Facts that a backend's pod reports. */
export interface PodFacts {
  /** Response of `/health`. */
  readonly health: string;
  /** Response of `/api/plugins`. */
  readonly plugins: string;
  readonly image: ImageFacts;
  readonly execution: ExecutionFacts;
  readonly privileges: PrivilegeFacts;
}

/** Requested facts: each is a value, or an error. */
export type PodAnswers = {
  readonly [Part in keyof PodFacts]?: { readonly value: PodFacts[Part] } | { readonly error: string };
};

/** URL of the backend inside its pod. */
export const backendUrl = `http://localhost:${ports.backend}`;

/** Prefix of the line with the facts that are measured first. */
const measuredMark = "alembic-measured ";

const source = (name: string) => readFileSync(join(import.meta.dirname, "in-pod", `${name}.py`), "utf8");

/**
 * Runs a Python program in a pod's default container.
 *
 * @param timeoutSeconds - Time that it may take, if it is longer than an answer of the cluster.
 * @param onOutput - Receives what it has printed so far.
 * @returns Its answer.
 * @throws {Error} If the program fails.
 */
async function runInPod(
  kubectl: Kubectl,
  pod: Pick<Pod, "metadata" | "spec">,
  program: string,
  timeoutSeconds?: number,
  onOutput: (output: string) => void = () => {},
): Promise<unknown> {
  const container = defaultContainer(pod)?.name;
  const command = ["exec", "--stdin", pod.metadata.name, `--container=${container}`, "--", ...pythonCommand()];
  const isComplete = (output: string) => {
    onOutput(output);
    return answerIn(output) !== undefined;
  };
  const output = await kubectl.run(command, program, timeoutSeconds, isComplete);
  const answer = answerIn(output);
  if (answer === undefined) throw new Error(`unexpected response from the pod: ${output.trim() || "empty"}`);
  return JSON.parse(answer);
}

/**
 * Queries a pod of the backend with one program.
 *
 * @param onMeasured - Receives the facts that are measured first: what else runs meanwhile would slow them down.
 * @throws {Error} If the program fails.
 */
export async function queryPod(
  kubectl: Kubectl,
  pod: Pick<Pod, "metadata" | "spec">,
  parts: readonly (keyof PodFacts)[],
  expected: Expected,
  onMeasured: (answers: PodAnswers) => void = () => {},
): Promise<PodAnswers> {
  const own = ["api", "execution", "image", "privileges"].map((name) => [name, source(name)]);
  const modules = { runner_rights: source("../../runner/runner_rights"), ...Object.fromEntries(own) };
  const inputs = Object.fromEntries(parts.map((part) => [part, inputsOf[part]?.(expected) ?? null]));
  let measured: PodAnswers | undefined;
  const onOutput = (output: string) => {
    const line = answerIn(output, measuredMark);
    if (line === undefined || measured !== undefined) return;
    measured = parseAnswers(line);
    onMeasured(measured);
  };
  const others = await runInPod(kubectl, pod, podProgram(source("main"), modules, inputs), undefined, onOutput);
  return { ...measured, ...(others as PodAnswers) };
}

/** Parses a line that the pod printed; it has no answers if the line isn't that of our program. */
function parseAnswers(line: string): PodAnswers {
  const value = parsed(line);
  return isRecord(value) ? (value as PodAnswers) : {};
}

/**
 * Runs the program of a custom check in a pod.
 *
 * @param seconds - Time limit of the check itself.
 * @throws {Error} If the check can't be run in time.
 */
export async function runCustomInPod(
  kubectl: Kubectl,
  pod: Pick<Pod, "metadata" | "spec">,
  name: "http_check" | "sql_check",
  input: Readonly<Record<string, unknown>>,
  seconds: number,
): Promise<unknown> {
  const program = podProgram(source(name), { limited: source("limited") }, { ...input, seconds });
  const answer = (await runInPod(kubectl, pod, program, seconds + kubectl.timeoutSeconds)) as
    | { readonly value: unknown }
    | { readonly error: string };
  if ("error" in answer) throw new Error(answer.error);
  return answer.value;
}

/** Inputs of the parts that have any. */
const inputsOf: { readonly [Part in keyof PodFacts]?: (expected: Expected) => unknown } = {
  image: imageInputs,
  privileges: ({ tables, chain }) => [tables, chain.versionTable],
};

function imageInputs({ chain, namespace }: Expected) {
  const service = names.postgresService;
  const hosts = ["", `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`];
  return {
    files: Object.keys(allReviewedFiles(chain)),
    locations: chain.versionLocations,
    alembic: chain.alembic,
    runnerConfig: source("../../runner/runner_config"),
    address: { hosts: hosts.map((domain) => service + domain), port: ports.postgres, database: names.database },
  };
}
