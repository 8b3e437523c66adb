import { Kubectl } from "../cluster/kubectl.ts";
import { names, ports } from "../manifests/names.ts";
import { engineFor } from "./pulumi.ts";
import { openLocalStack } from "./stack.ts";
import { openTarget, type Target } from "./target.ts";

const stackName = "dev";
const namespace = "unity";

/** Prints a step's title. */
function title(text: string): void {
  console.log(`\n== ${text}`);
}

/** @returns A URL of the backend that answers from this machine, or the command that makes one. */
async function backendUrl(target: Target): Promise<string> {
  if (!target.own) {
    const forward = `kubectl --context ${target.context} port-forward -n ${namespace} service/${names.backend} ${ports.backend}`;
    return `http://localhost:${ports.backend}/api/plugins, while this runs: ${forward}`;
  }
  // The node is this machine, so that a Service's own address is reached from it.
  const service = await new Kubectl({ context: target.context, namespace }).get<{ spec: { clusterIP: string } }>(
    "service",
    names.backend,
  );
  return `http://${service.spec.clusterIP}:${ports.backend}/api/plugins`;
}

function nextSteps(target: Target, url: string): string {
  const kubeconfig = target.own ? `  export KUBECONFIG=${target.environment.KUBECONFIG}\n` : "";
  const exec = `kubectl --context ${target.context} exec -n ${namespace}`;
  return `What to try next:
${kubeconfig}  ${exec} deployment/${names.backend} -- alembic current
  ${exec} deployment/${names.postgres} -- psql -U ${names.databaseOwner} -d ${names.database} -c '\\dt'
  ${exec} deployment/${names.backend} -- curl -s http://localhost:${ports.backend}/health
  make demo        again: nothing changes
  make demo-down   stops the cluster and keeps its data

The backend answers at ${url}`;
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
  const { context, image, postgresImage } = target;
  const stack = await openLocalStack(stackName, { context, namespace, image, postgresImage });
  const engine = engineFor(stack, target.environment);
  for (const verb of ["preview", "up"] as const) {
    title(`${verb}, by ${engine.name}`);
    const { exitCode } = await engine.run(verb, [], true);
    if (exitCode !== 0) return exitCode;
  }
  title("Done");
  console.log(nextSteps(target, await backendUrl(target)));
  return 0;
}
