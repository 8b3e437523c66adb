import { existsSync, readdirSync, rmSync } from "node:fs";
import { demoNames } from "../../local/demo-names.ts";
import { stackFolder, stacksFolder } from "../../local/stack.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";

/** Seconds in which a namespace is deleted with its objects. */
const timeoutSeconds = 300;

/** Names of what tests create, by which a later run finds it. */
export const testStack = (name: string) => `test-${name}`;
export const testNamespace = (name: string) => `unity-${testStack(name)}`;
/** `STACK` of the demo for the how-to page, beside the user's own. */
export const walkDemo = testStack("how-to");

/** The part of a namespace that is read here. */
interface Namespace {
  readonly metadata: { readonly name: string };
  readonly status: { readonly phase: string };
}

/**
 * Removes what an interrupted run has left on a cluster and among the stacks' files.
 *
 * @throws {Error} If another cluster than the project's has such namespaces: their names don't prove who owns them.
 */
export async function removeLeftovers(
  cluster: { readonly isLocal: boolean; readonly context: string },
  report: (line: string) => void,
): Promise<void> {
  const { isLocal, context } = cluster;
  const demo = demoNames(walkDemo, cluster);
  const kubectl = new Kubectl({ context, namespace: "default" });
  const { items } = await kubectl.get<{ items: readonly Namespace[] }>("namespaces");
  const found = items.filter(({ metadata: { name } }) => name.startsWith(testNamespace("")) || name === demo.namespace);
  const names = found.map(({ metadata }) => metadata.name);
  if (!isLocal && found.some(({ status }) => status.phase === "Active"))
    throw new Error(
      `${context} has namespaces with names of the tests: ${names.join(", ")}. If an interrupted run has left them, run:\n` +
        `  kubectl --context ${context} delete namespace ${names.join(" ")}`,
    );
  if (names.length > 0) {
    report(`Removing namespaces of an earlier run: ${names.join(", ")}`);
    await kubectl.run(["delete", "namespace", ...names, `--timeout=${timeoutSeconds}s`], "", timeoutSeconds + 10);
  }
  const stacks = existsSync(stacksFolder) ? readdirSync(stacksFolder) : [];
  for (const name of stacks.filter((each) => each.startsWith(testStack("")) || each === demo.stack))
    rmSync(stackFolder(name), { recursive: true });
}
