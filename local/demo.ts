import { existsSync, rmSync } from "node:fs";
import { Kubectl } from "../src/cluster/kubectl.ts";
import { names, ports } from "../src/manifests/names.ts";
import { demoNames } from "./demo-names.ts";
import { showFirstLook } from "./first-look.ts";
import { removeImagesOf } from "./images/build.ts";
import { engineFor } from "./pulumi.ts";
import { openLocalStack, stackFolder } from "./stack.ts";
import { openCluster, openTarget, type Target } from "./target.ts";

/** Seconds for the pods of a deleted namespace to end. */
const deletionSeconds = 300;

function printTitle(text: string): void {
  console.log(`\n== ${text}`);
}

/** Returns a URL of the backend that this machine can reach, and the command that it requires on a user's cluster. */
async function backendUrl({ isLocal, context, namespace }: Target): Promise<string> {
  if (!isLocal) {
    const forward = `kubectl --context ${context} port-forward -n ${namespace} service/${names.backend} ${ports.backend}`;
    return `http://localhost:${ports.backend}/plugins while this command runs: ${forward}`;
  }
  // This machine is the node, so it reaches the addresses of Services.
  const kubectl = new Kubectl({ context, namespace });
  const service = await kubectl.get<{ spec: { clusterIP: string } }>("service", names.backend);
  return `http://${service.spec.clusterIP}:${ports.backend}/plugins`;
}

/** Returns the commands to try after the demo. */
function nextSteps(target: Target, configFile: string, url: string): string {
  const { context, namespace, environment, isLocal, kubectlFolder, developer } = target;
  const exports: string[] = [];
  if (isLocal) exports.push(`KUBECONFIG=${environment.KUBECONFIG}`, `PATH=${kubectlFolder}:$PATH`);
  exports.push(`UNITY_CONFIG_FILE=${configFile}`);

  let variables = "";
  for (const key of ["CONTEXT", "IMAGE", "STACK"]) if (environment[key]) variables += ` ${key}=${environment[key]}`;
  if (developer !== undefined && !environment.CONTEXT) variables += ` CONTEXT=${context}`; // another one may run by then

  const exec = `kubectl --context ${context} exec -n ${namespace}`;
  const lines = [
    "What to try next:",
    `export ${exports.join(" ")}`,
    `${exec} deployment/${names.backend} -- alembic current`,
    `${exec} deployment/${names.postgres} -- psql -U ${names.databaseOwner} -d ${names.database} -c '\\dt'`,
    `${exec} deployment/${names.backend} -- curl -s http://localhost:${ports.backend}/health`,
    "npm run unity -- status",
    `make demo${variables}          again: no changes`,
  ];
  if (isLocal) lines.push("make demo-down     stop the cluster and keep its data");
  lines.push(
    `make demo-remove${variables}   delete this demo and its data`,
    "To write, test, and deploy a revision, see docs/how-to/new-revision.md",
    "",
    `Backend: ${url}`,
  );
  return lines.join("\n  ");
}

/**
 * Deploys to a real cluster: preview, then up with its checks. Prints the commands to try next.
 *
 * @returns The engine's exit code: 0 if the release is deployed and verified.
 */
export async function demo(environment: NodeJS.ProcessEnv): Promise<number> {
  printTitle("Cluster and images");
  const target = await openTarget(environment, showFirstLook);
  Object.assign(process.env, target.environment);
  const { context, namespace, image, postgresImage } = target;
  const stack = await openLocalStack(target.stack, { context, namespace, image, postgresImage });
  const engine = engineFor(stack, target.environment);
  for (const verb of ["preview", "up"] as const) {
    printTitle(`${verb} (${engine.name})`);
    const { exitCode } = await engine.run(verb, [], true);
    if (exitCode !== 0) return exitCode;
  }
  printTitle("Done");
  console.log(nextSteps(target, stack.configFile, await backendUrl(target)));
  return 0;
}

/**
 * Deletes a demo and its data: the stack's resources, its namespace, its files, and the images of an additional demo.
 *
 * @returns The engine's exit code: 0 if the demo is deleted or does not exist.
 */
export async function removeDemo(environment: NodeJS.ProcessEnv): Promise<number> {
  const cluster = await openCluster(environment);
  Object.assign(process.env, cluster.environment);
  const { isLocal, context } = cluster;
  const { stack, namespace, imageName } = demoNames(environment.STACK, cluster);
  if (!existsSync(stackFolder(stack))) {
    console.log(`No demo ${stack} in context ${context}.`);
    return 0;
  }
  const engine = engineFor(await openLocalStack(stack, {}), cluster.environment);
  const { exitCode } = await engine.run("destroy", [], true);
  if (exitCode !== 0) return exitCode;
  // The stack retains the namespace, which contains the data.
  const deletion = ["delete", "namespace", namespace, "--ignore-not-found", `--timeout=${deletionSeconds}s`];
  await new Kubectl({ context, namespace }).run(deletion, "", deletionSeconds + 10);
  rmSync(stackFolder(stack), { recursive: true });
  const isAdditional = stack !== demoNames(undefined, cluster).stack;
  if (isLocal && isAdditional) await removeImagesOf(imageName);
  console.log(`Deleted namespace ${namespace} (context ${context}) with its data, and stack ${stack}.`);
  return 0;
}
