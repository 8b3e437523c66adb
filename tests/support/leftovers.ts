import { existsSync, readdirSync, rmSync } from "node:fs";
import { demoNames } from "../../local/demo-names.ts";
import { stackFolder, stacksFolder } from "../../local/stack.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";

/** Seconds in which a namespace is gone with all that is in it. */
const gracePeriod = 300;

/** What tests make is named so that a later run finds it. */
export const testStack = (name: string) => `test-${name}`;
export const testNamespace = (name: string) => `unity-${testStack(name)}`;
/** The demo of the walk through the how-to page, beside the user's own: what `STACK` says. */
export const walkDemo = testStack("how-to");

/** What is read of a namespace. */
interface Namespace {
  readonly metadata: { readonly name: string };
  readonly status: { readonly phase: string };
}

/**
 * Removes what a run that was interrupted has left on a cluster and among the stacks' files, and waits for what is being
 * removed.
 *
 * @throws {Error} If it is not this project's cluster and has such namespaces: their names don't prove whose they are.
 */
export async function removeLeftovers(
  cluster: { readonly own: boolean; readonly context: string },
  report: (line: string) => void,
): Promise<void> {
  const { own, context } = cluster;
  const demo = demoNames(walkDemo, cluster);
  const kubectl = new Kubectl({ context, namespace: "default" });
  const { items } = await kubectl.get<{ items: readonly Namespace[] }>("namespaces");
  const found = items.filter(({ metadata: { name } }) => name.startsWith(testNamespace("")) || name === demo.namespace);
  const names = found.map(({ metadata }) => metadata.name);
  if (!own && found.some(({ status }) => status.phase === "Active"))
    throw new Error(
      `${context} has namespaces with names of the tests: ${names.join(", ")}. If an interrupted run has left them:\n` +
        `  kubectl --context ${context} delete namespace ${names.join(" ")}`,
    );
  if (names.length > 0) {
    report(`Removing what an earlier run has left: namespace ${names.join(", ")}`);
    await kubectl.run(["delete", "namespace", ...names, `--timeout=${gracePeriod}s`], "", gracePeriod + 10);
  }
  const stacks = existsSync(stacksFolder) ? readdirSync(stacksFolder) : [];
  for (const name of stacks.filter((each) => each.startsWith(testStack("")) || each === demo.stack))
    rmSync(stackFolder(name), { recursive: true });
}
