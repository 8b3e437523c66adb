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

/** The cluster of the live tests, and the images that it has. */
const target = {
  context: required("UNITY_CONTEXT"),
  image: required("MIGRATION_IMAGE"),
  postgresImage: process.env.UNITY_POSTGRES_IMAGE || undefined,
};

/** A stack of a test's own, in a namespace of its own. */
export interface LiveStack {
  readonly name: string;
  readonly namespace: string;
  readonly kubectl: Kubectl;
  /** Folder of its files, which exists once the engine was opened. */
  readonly folder: string;
  /** The stack's settings, as `unity` takes them by `--config-file`; exists once the engine was opened. */
  readonly configFile: string;
  /** Opens the engine for a folder's program with settings changed by `values`, on the cluster of `kubeconfig`. */
  engine(values?: Readonly<Record<string, string>>, program?: string, kubeconfig?: string): Promise<Engine>;
  /** Returns the environment in which `unity` finds the stack, once the engine was opened. */
  environment(): Promise<NodeJS.ProcessEnv>;
  /** Returns all that the engine keeps of the stack: settings, state and other files. */
  storedText(): string;
  /** Destroys the stack, and removes its namespace and its files, also if it can't be destroyed. */
  remove(): Promise<void>;
  /** Removes its files only: another stack owns what it deployed. */
  forget(): void;
}

/**
 * Opens an empty stack.
 *
 * @param title - Names stack and namespace.
 * @param besideTitle - Stack that it can refer to, and that can refer to it.
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
  const forget = () => rmSync(folder, { recursive: true, force: true });
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
      try {
        const { exitCode, output } = await (await engine()).run("destroy");
        if (exitCode !== 0) throw new Error(`destroy failed:\n${output}`);
      } finally {
        await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
        forget();
      }
    },
    storedText: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
        .join("\n"),
    forget,
  };
}
