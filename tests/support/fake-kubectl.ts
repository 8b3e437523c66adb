import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** What a question to the cluster is answered: what kubectl prints, what it says when it fails, or nothing for long. */
export type FakeAnswer = { readonly output: string } | { readonly error: string } | "silence";

/** Answers by question: the list of what is there, each pod's rows, and the keys of the database's Secret. */
export interface FakeAnswers {
  readonly list: FakeAnswer;
  readonly backend: FakeAnswer;
  readonly postgres: FakeAnswer;
  readonly secret: FakeAnswer;
  /** The migrate Jobs alone, where no database is asked. */
  readonly jobs?: FakeAnswer;
  /**
   * What the account may do: `true` or `false` for each right that is asked for.
   *
   * @defaultValue whatever is asked for
   */
  readonly access?: FakeAnswer;
}

const script = `#!/bin/sh
case "$*" in
  *" create --validate=false "*) name=access ;;
  *" get jobs,deployments,"*) name=list ;;
  *" get secret "*) name=secret ;;
  *" get jobs "*) name=jobs ;;
  *deployment/unity-backend*) name=backend ;;
  *) name=postgres ;;
esac
cd "$(dirname "$0")"
if [ -f $name.error ]; then cat $name.error >&2; exit 1; fi
if [ -f $name.output ]; then exec cat $name.output; fi
if [ $name = access ]; then grep -o SelfSubjectAccessReview | sed s/.*/true/; exit; fi
exec sleep 60
`;

/** What a pod prints that answers a question about the database. */
export function answer(value: unknown, before = ""): FakeAnswer {
  return { output: `${before}unity-answer ${JSON.stringify(value)}\n` };
}

const missing = { error: 'Error from server (NotFound): namespaces "unity" not found' };

/** Answers of a cluster on which nothing was deployed. */
export const nothingDeployed: FakeAnswers = {
  list: { output: '{"items": []}' },
  backend: missing,
  postgres: missing,
  secret: { output: "" },
};

/** A stack's own PostgreSQL, as the list has it, with a pod that can be asked. */
export const deployedPostgres = {
  kind: "Deployment",
  metadata: { name: "postgres", annotations: { "pulumi.com/patchForce": "true" } },
  status: { replicas: 1 },
};

/** Puts a kubectl first on PATH that gives these answers. @returns What takes it away again. */
export function fakeKubectl(answers: FakeAnswers): () => void {
  const folder = mkdtempSync(join(tmpdir(), "unity-kubectl-"));
  const { PATH } = process.env;
  writeFileSync(join(folder, "kubectl"), script, { mode: 0o755 });
  for (const [name, answer] of Object.entries(answers) as [string, FakeAnswer][]) {
    if (answer === "silence") continue;
    for (const [kind, text] of Object.entries(answer)) writeFileSync(join(folder, `${name}.${kind}`), text);
  }
  process.env.PATH = [folder, PATH].join(delimiter);
  return () => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  };
}
