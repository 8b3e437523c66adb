import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kubectl } from "../cluster/kubectl.ts";
import { answerIn, podProgram, pythonCommand } from "../cluster/pod-program.ts";
import { unity } from "../manifests/app.ts";
import { names, ports } from "../manifests/names.ts";
import type { Expected } from "./result.ts";

/** What the image in the backend's pod holds, and what its DATABASE_URL points to; no value of it. */
export interface ImageFacts {
  /** SHA-256 of each file that the chain names; `null` if there is none. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Revision files that the chain does not name. */
  readonly extra: readonly string[];
  /** Which parts of DATABASE_URL are as expected; those of a stack's own database only. */
  readonly address: Readonly<Partial<Record<"set" | "url" | "host" | "port" | "database", boolean>>>;
  /** What is wrong with `alembic.ini`. */
  readonly ini: string | null;
  /** Why `alembic/env.py` does not take the database's address from the environment. */
  readonly env: string | null;
}

/** How the execution of a plugin went. */
export type ExecutionFacts =
  | {
      /** `null` if no plugin has code. */
      readonly plugin: string | null;
      /** What the database held of it; `null` if nothing. */
      readonly row?: {
        readonly startedAt: string | null;
        readonly completedAt: string | null;
        readonly status: string;
        readonly error: string | null;
      } | null;
      /** Whether the plugin is enabled or disabled as it was. */
      readonly restored?: boolean;
    }
  | {
      /** What the API refused. */
      readonly problem: string;
      /** What it answered, 0 if nothing. */
      readonly status: number;
    };

/** What the role that the backend logs in as may do in the database. */
export interface PrivilegeFacts {
  readonly role: string;
  /** What it lacks: `SELECT`, `INSERT`, `UPDATE` or `DELETE` by table; a table that is not there is not among them. */
  readonly lacking: Readonly<Record<string, readonly string[]>>;
  /** What it can do to the schema, a phrase each. */
  readonly excess: readonly string[];
}

/** What a backend's pod can be asked, and what it answers. */
export interface PodFacts {
  /** What `/health` answers. */
  readonly health: string;
  /** What `/api/plugins` answers. */
  readonly plugins: string;
  readonly image: ImageFacts;
  readonly execution: ExecutionFacts;
  readonly privileges: PrivilegeFacts;
}

/** Each part that was asked for: what it found, or why it could not look. */
export type PodAnswers = {
  readonly [Part in keyof PodFacts]?: { readonly value: PodFacts[Part] } | { readonly error: string };
};

/** The backend's own address inside its pod. */
export const backendUrl = `http://localhost:${ports.backend}`;

const source = (name: string) => readFileSync(join(import.meta.dirname, "in-pod", `${name}.py`), "utf8");

/** How long all parts together may take, in seconds: each has bounds of its own, which are shorter. */
const podSeconds = 18;

/** Asks a pod of the backend, all in one program. @throws {Error} If it gives no answer. */
export async function queryPod(
  kubectl: Kubectl,
  pod: string,
  parts: readonly (keyof PodFacts)[],
  expected: Expected,
): Promise<PodAnswers> {
  const modules = Object.fromEntries(["api", "execution", "image", "privileges"].map((name) => [name, source(name)]));
  const asked = Object.fromEntries(parts.map((part) => [part, needs[part]?.(expected) ?? null]));
  const command = [
    "exec",
    "--stdin",
    pod,
    `--container=${(expected.app ?? unity).backend}`,
    "--",
    ...pythonCommand(JSON.stringify(asked)),
  ];
  const isWhole = (output: string) => answerIn(output) !== undefined;
  const output = await kubectl.run(command, podProgram(source("main"), modules), podSeconds, isWhole);
  const answer = answerIn(output);
  if (answer === undefined) throw new Error(`the pod answered ${output.trim() || "nothing"}`);
  return JSON.parse(answer) as PodAnswers;
}

/** What a part has to be told, if anything. */
const needs: { readonly [Part in keyof PodFacts]?: (expected: Expected) => unknown } = {
  image: askedOfImage,
  privileges: ({ tables }) => tables,
};

function askedOfImage({ chain, namespace }: Expected) {
  const service = names.postgresService;
  const hosts = ["", `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`];
  return {
    files: chain.revisions.map(({ file }) => file),
    locations: chain.versionLocations,
    address: { hosts: hosts.map((domain) => service + domain), port: ports.postgres, database: names.database },
  };
}
