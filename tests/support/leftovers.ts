import { existsSync, readdirSync, rmSync } from "node:fs";
import { Kubectl } from "../../cluster/kubectl.ts";
import { stackFolder, stacksFolder } from "../../local/stack.ts";

/** Seconds in which a namespace is gone with all that is in it. */
const patience = 300;

/** What tests make is named so that a later run finds it: stacks, demos and namespaces of no one else. */
export const testStack = (name: string) => `test-${name}`;
export const testNamespace = (name: string) => `unity-${testStack(name)}`;
const stacks = /^(demo-)?test-/;
const namespaces = /^namespace\/(unity-(demo-)?test-.*)/;

/** Removes what a run that was interrupted has left on a cluster and among the stacks' files. */
export async function removeLeftovers(context: string, report: (line: string) => void): Promise<void> {
  const kubectl = new Kubectl({ context, namespace: "default" });
  const listed = (await kubectl.run(["get", "namespaces", "--output=name"])).split("\n");
  const found = listed.flatMap((line) => namespaces.exec(line)?.[1] ?? []);
  if (found.length > 0) {
    report(`Removing what an earlier run has left: namespace ${found.join(", ")}`);
    await kubectl.run(["delete", "namespace", ...found, `--timeout=${patience}s`], "", patience + 10);
  }
  const folders = existsSync(stacksFolder) ? readdirSync(stacksFolder) : [];
  for (const name of folders.filter((each) => stacks.test(each))) rmSync(stackFolder(name), { recursive: true });
}
