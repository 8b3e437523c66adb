import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Engine, engineFor, statesOf } from "../../local/pulumi.ts";
import { openLocalStack, stackFolder } from "../../local/stack.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { projectRoot } from "../../src/paths.ts";
import { testNamespace, testStack } from "./leftovers.ts";

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the live tests by \`make test\` or \`node tests/run.ts live\``);
  return value;
}

/** The cluster that the live tests run on, and the images that it has. */
const target = {
  context: required("UNITY_CONTEXT"),
  image: required("UNITY_IMAGE"),
  postgresImage: process.env.UNITY_POSTGRES_IMAGE || undefined,
};

/** A stack of a test's own, in a namespace of its own. */
export interface LiveStack {
  readonly name: string;
  readonly namespace: string;
  readonly kubectl: Kubectl;
  /** Where its files are; there once the engine was opened. */
  readonly folder: string;
  /** The stack's settings, as `unity` takes them by `--config-file`; there once the engine was opened. */
  readonly configFile: string;
  /** The engine, running a folder's program with settings changed by `values`, on the cluster of `kubeconfig`. */
  engine(values?: Readonly<Record<string, string>>, program?: string, kubeconfig?: string): Promise<Engine>;
  /** The environment in which `unity` finds the stack; there once the engine was opened. */
  environment(): Promise<NodeJS.ProcessEnv>;
  /** All that the engine keeps of the stack: its settings, its state and what lies beside them. */
  storedText(): string;
  /** Removes what the stack deployed, its namespace and its files. */
  remove(): Promise<void>;
  /** Removes its files only: what it deployed is another stack's. */
  forget(): void;
}

/**
 * Opens an empty stack.
 *
 * @param title What stack and namespace are named by.
 * @param besideTitle Stack that it can refer to, and that can refer to it.
 */
export function liveStack(title: string, besideTitle: string = title): LiveStack {
  const [name, beside, namespace] = [testStack(title), testStack(besideTitle), testNamespace(title)];
  const engine = async (
    values: Readonly<Record<string, string>> = {},
    program = projectRoot,
    kubeconfig = process.env.KUBECONFIG,
  ) => {
    const { context, image, postgresImage } = target;
    const stack = await openLocalStack(name, { context, namespace, image, postgresImage, ...values }, beside);
    return engineFor(stack, { ...process.env, KUBECONFIG: kubeconfig }, program);
  };
  const kubectl = new Kubectl({ context: target.context, namespace });
  const folder = stackFolder(name);
  return {
    name,
    namespace,
    kubectl,
    folder,
    configFile: join(folder, `Pulumi.${name}.yaml`),
    engine,
    async environment() {
      const stack = await openLocalStack(name, {}, beside);
      return { ...statesOf(stack), ...stack.environment };
    },
    async remove() {
      const { exitCode, output } = await (await engine()).run("destroy");
      if (exitCode !== 0) throw new Error(`destroy failed:\n${output}`);
      await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
      this.forget();
    },
    storedText: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
        .join("\n"),
    forget: () => rmSync(folder, { recursive: true }),
  };
}
