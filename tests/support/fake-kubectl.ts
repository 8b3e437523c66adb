import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import type { DatabaseSchema } from "../../src/lockfile/database-schema/database-schema.ts";
import type { DatabaseIdentity } from "../../src/plan/live-state.ts";
import { sendSignal } from "./children.ts";

/** Output of a kubectl command, its standard error if it fails, or no answer for a minute. */
export type FakeAnswer = { readonly output: string } | { readonly error: string } | "silence";

/** Answers to kubectl commands. */
export interface FakeAnswers {
  /** The namespace's objects. */
  readonly list: FakeAnswer;
  /** The database's state, queried in the backend's pod. */
  readonly backend: FakeAnswer;
  /** The database's state, queried in PostgreSQL's pod. */
  readonly postgres: FakeAnswer;
  /** The run records, queried in either pod; by default their answer to any query. */
  readonly runs: FakeAnswer;
  /** Keys of a Secret. */
  readonly secret: FakeAnswer;
  /** Metadata of the namespace. */
  readonly namespace: FakeAnswer;
  /** The migrate Jobs alone, where no database is queried. */
  readonly jobs: FakeAnswer;
  /** Service account of an app's migrations. */
  readonly account: FakeAnswer;
  /** A Deployment by its name. */
  readonly deployment: FakeAnswer;
  /** ConfigMaps that describe apps. */
  readonly configmaps: FakeAnswer;
  /** Pods that have an app's gate. */
  readonly pods: FakeAnswer;
  /** Reviews of permissions: the status of each on a line. By default all are granted. */
  readonly access: FakeAnswer;
}

const allRules = '{"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}], "incomplete": false}';

const script = `#!/bin/sh
case "$*" in
  *" create --validate=false "*) name=access ;;
  *" get jobs,deployments,"*) name=list ;;
  *" get secret "*) name=secret ;;
  *" get namespace "*) name=namespace ;;
  *" get jobs "*) name=jobs ;;
  *" get serviceaccount "*) name=account ;;
  *" get deployment "*) name=deployment ;;
  *" get configmaps "*) name=configmaps ;;
  *" get pods "*) name=pods ;;
  *deployment/unity-backend*|*pod/*) name=backend ;;
  *) name=postgres ;;
esac
cd "$(dirname "$0")" || exit 1
case $name in backend|postgres) [ ! -f runs.output ] || ! grep -q "relname = 'runs'" || name=runs ;; esac
if [ -f $name.error ]; then cat $name.error >&2; exit 1; fi
if [ -f $name.output ]; then exec cat $name.output; fi
if [ $name = access ]; then
  grep -oE 'SelfSubject(Rules|Access)Review' | sed 's/.*Access.*/{"allowed": true}/; s/.*Rules.*/${allRules}/'
  exit
fi
echo $$ >> silent || exit 1
exec sleep 60
`;

/**
 * Returns the output of a pod that queried the database.
 *
 * @param more - Answer of the second subquery: by default, it was not queried.
 */
export function answer(value: unknown, before = "", more: unknown = null): { readonly output: string } {
  return { output: `${before}alembic-answer ${JSON.stringify(value)}\nalembic-more ${JSON.stringify(more)}\n` };
}

/** The database that {@link databaseAt} answers for. */
export const database: DatabaseIdentity = { name: "homelab_db", oid: "16384", system: "7000000000000000001" };

/** Returns the output of a pod that read a revision and the schema. */
export function databaseWith(row: string, schema: DatabaseSchema): { readonly output: string } {
  return answer({ database, rows: [row] }, "", { value: { version: 150000, schema } });
}

/** Returns the output of a pod that read the rows of `alembic_version`, `null` without that table. */
export function databaseAt(rows: readonly string[] | null, before = ""): FakeAnswer {
  return answer({ database, rows }, before);
}

const missing = { error: 'Error from server (NotFound): namespaces "unity" not found' };

/** Answers of a cluster without a deployment. */
const nothingDeployed: Partial<FakeAnswers> = {
  list: { output: '{"items": []}' },
  backend: missing,
  postgres: missing,
  secret: { output: "" },
  jobs: { output: '{"items": []}' },
  account: { output: "" },
  deployment: { output: "" },
  configmaps: { output: '{"items": []}' },
  pods: { output: '{"items": []}' },
  namespace: { output: '{"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}' },
};

/** A stack's own PostgreSQL, as it is listed, with a pod that can be queried. */
export const deployedPostgres = {
  kind: "Deployment",
  metadata: { name: "postgres", annotations: { "pulumi.com/patchForce": "true" } },
  spec: { template: { spec: { containers: [{ name: "postgres", image: "postgres:17" }] } } },
  status: { replicas: 1 },
};

/** A kubectl program that gives prepared answers, for this process or for those that a test starts. */
export interface FakeKubectl extends Disposable {
  readonly kubectl: Kubectl;
  /** Environment in which it is found before any other kubectl. */
  readonly environment: { readonly PATH: string };
  /** Folder of the program. */
  readonly folder: string;
}

/** Writes a kubectl program; what has no answer is that of a cluster without a deployment. */
export function fakeKubectl(answers: Partial<FakeAnswers> = {}): FakeKubectl {
  const fake = kubectlProgram(script);
  for (const [name, answer] of Object.entries({ ...nothingDeployed, ...answers })) {
    if (answer === "silence") continue;
    for (const [kind, text] of Object.entries(answer)) writeFileSync(join(fake.folder, `${name}.${kind}`), text);
  }
  const silent = join(fake.folder, "silent");
  const end = () => {
    if (existsSync(silent))
      for (const pid of readFileSync(silent, "utf8").trim().split("\n")) sendSignal(Number(pid), "SIGKILL");
    fake[Symbol.dispose]();
  };
  return { ...fake, [Symbol.dispose]: end };
}

/** Writes a kubectl program from the text of a shell script. */
export function kubectlProgram(text: string): FakeKubectl {
  const folder = mkdtempSync(join(tmpdir(), "unity-kubectl-"));
  const program = join(folder, "kubectl");
  writeFileSync(program, text, { mode: 0o755 });
  return {
    kubectl: new Kubectl({ context: "here", namespace: "unity" }, { program }),
    environment: { PATH: [folder, process.env.PATH].join(delimiter) },
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
