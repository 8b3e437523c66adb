import { existsSync, rmSync } from "node:fs";
import { Kubectl } from "../src/cluster/kubectl.ts";
import { demoNames } from "./demo-names.ts";
import { removeImagesOf } from "./images/build.ts";
import { engineFor } from "./pulumi.ts";
import { openLocalStack, stackFolder } from "./stack.ts";
import { openCluster } from "./target.ts";

/**
 * Removes a demo with its data: what its stack deployed, its namespace, its files, and the images of one beside the first.
 *
 * @returns The engine's exit code: 0 if nothing of it is left, or there was none.
 */
export async function removeDemo(environment: NodeJS.ProcessEnv): Promise<number> {
  const { STACK: name } = environment;
  const cluster = await openCluster(environment);
  Object.assign(process.env, cluster.environment);
  const { own, context } = cluster;
  const { stack: stackName, namespace, imageName } = demoNames(name, cluster);
  if (!existsSync(stackFolder(stackName))) {
    console.log(`There is no demo ${stackName} on ${context}: nothing to remove.`);
    return 0;
  }
  const engine = engineFor(await openLocalStack(stackName, {}), cluster.environment);
  const { exitCode } = await engine.run("destroy", [], true);
  if (exitCode !== 0) return exitCode;
  // The stack leaves it, as it holds the data. It is gone once its pods have ended.
  const patience = 300;
  const deletion = ["delete", "namespace", namespace, "--ignore-not-found", `--timeout=${patience}s`];
  await new Kubectl({ context, namespace }).run(deletion, "", patience + 10);
  rmSync(stackFolder(stackName), { recursive: true });
  if (own && stackName !== demoNames(undefined, cluster).stack) await removeImagesOf(imageName);
  console.log(`Removed: namespace ${namespace} of ${context}, with its data, and the stack ${stackName}.`);
  return 0;
}
