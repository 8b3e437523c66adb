import { Kubectl } from "../src/cluster/kubectl.ts";
import { names, ports } from "../src/manifests/names.ts";
import { engineFor } from "./pulumi.ts";
import { openLocalStack } from "./stack.ts";
import { openTarget, type Target } from "./target.ts";

/** Prints a step's title. */
function title(text: string): void {
  console.log(`\n== ${text}`);
}

/** @returns A URL of the backend that answers from this machine, or the command that makes one. */
async function backendUrl({ own, context, namespace }: Target): Promise<string> {
  if (!own) {
    const forward = `kubectl --context ${context} port-forward -n ${namespace} service/${names.backend} ${ports.backend}`;
    return `http://localhost:${ports.backend}/plugins, while this runs: ${forward}`;
  }
  // The node is this machine, so that a Service's own address is reached from it.
  const service = await new Kubectl({ context, namespace }).get<{ spec: { clusterIP: string } }>(
    "service",
    names.backend,
  );
  return `http://${service.spec.clusterIP}:${ports.backend}/plugins`;
}

/** @returns What a person would try after the demo. */
function nextSteps(target: Target, configFile: string, url: string): string {
  const { context, namespace, kubectlFolder } = target;
  const exec = `kubectl --context ${context} exec -n ${namespace}`;
  const { KUBECONFIG, ...environment } = target.environment;
  const given = ["CONTEXT", "IMAGE", "STACK"].flatMap((key) =>
    environment[key] ? [` ${key}=${environment[key]}`] : [],
  );
  const ours = target.own ? [`KUBECONFIG=${KUBECONFIG}`, `PATH=${kubectlFolder}:$PATH`] : [];
  return [
    "What to try next:",
    ["export", ...ours, `UNITY_CONFIG_FILE=${configFile}`].join(" "),
    `${exec} deployment/${names.backend} -- alembic current`,
    `${exec} deployment/${names.postgres} -- psql -U ${names.databaseOwner} -d ${names.database} -c '\\dt'`,
    `${exec} deployment/${names.backend} -- curl -s http://localhost:${ports.backend}/health`,
    "npm run unity -- status",
    `make demo${given.join("")}          again: nothing changes`,
    ...(target.own ? ["make demo-down     stops the cluster and keeps its data"] : []),
    `make demo-remove${given.join("")}   removes this demo and its data`,
    "A revision of your own, from writing to production: docs/how-to/new-revision.md",
    "",
    `The backend answers at ${url}`,
  ].join("\n  ");
}

/**
 * The main job on a real cluster: preview, up with its checks, and what to try next.
 *
 * @returns The engine's exit code: 0 if the release is deployed and verified.
 */
export async function demo(environment: NodeJS.ProcessEnv): Promise<number> {
  title("Cluster and images");
  const target = await openTarget(environment);
  Object.assign(process.env, target.environment);
  const { context, namespace, image, postgresImage } = target;
  const stack = await openLocalStack(target.stack, { context, namespace, image, postgresImage });
  const engine = engineFor(stack, target.environment);
  for (const verb of ["preview", "up"] as const) {
    title(`${verb}, by ${engine.name}`);
    const { exitCode } = await engine.run(verb, [], true);
    if (exitCode !== 0) return exitCode;
  }
  title("Done");
  console.log(nextSteps(target, stack.configFile, await backendUrl(target)));
  return 0;
}
