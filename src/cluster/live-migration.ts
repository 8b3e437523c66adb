import type { MigratedApp } from "../manifests/app.ts";
import { defaultContainerAnnotation } from "../manifests/names.ts";
import type { Reading } from "../plan/live-state.ts";
import type { ReleasePod } from "../plan/older-releases.ts";
import { settled } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";
import { type LiveChain, readRevisions } from "./live-state.ts";
import type { Deployment, Pod } from "./objects.ts";
import { isServing, newestFirst, podsOfApp, releasePod } from "./pods.ts";

/** Pod of an app, from which its database can be queried. */
export interface Source {
  /** The pod as kubectl names it. */
  readonly object: string;
  /** @defaultValue the pod's default container */
  readonly container?: string | undefined;
}

/**
 * Reads the revision of an app's database, read-only, from the newest pod that has the app's gate. It never throws: the
 * reading may be the cause of a failure.
 *
 * @param unguarded - Deployments without a gate, whose pods can query the database, too.
 */
export async function readMigration(
  kubectl: Kubectl,
  app: Pick<MigratedApp, "partOf">,
  chain: LiveChain,
  unguarded: readonly string[],
): Promise<{ readonly reading: Reading; readonly pods: readonly ReleasePod[] }> {
  const found = await settled(findPods(kubectl, app, unguarded));
  if ("cause" in found) return { reading: { kind: "unreachable", what: "cluster", cause: found.cause }, pods: [] };
  const { pods, sources } = found.value;
  return { reading: await readRevisions(kubectl, chain, sources), pods: pods.flatMap(releasePod) };
}

/**
 * Finds the pods from which an app's database can be queried, the best one first.
 *
 * @throws {Error} If the cluster can't be queried.
 */
export async function findSources(
  kubectl: Kubectl,
  app: Pick<MigratedApp, "partOf">,
  unguarded: readonly string[],
): Promise<readonly Source[]> {
  return (await findPods(kubectl, app, unguarded)).sources;
}

/** Lists the pods that have the app's gate, and finds the sources. */
async function findPods(kubectl: Kubectl, { partOf }: Pick<MigratedApp, "partOf">, unguarded: readonly string[]) {
  const [pods, ...deployments] = await Promise.all([
    podsOfApp(kubectl, partOf),
    ...unguarded.map((name) => readDeployment(kubectl, name)),
  ]);
  const guarded = chooseSource(pods);
  const objects = deployments.filter((deployment) => (deployment?.status?.replicas ?? 0) > 0);
  const sources = objects.map((deployment): Source => ({ object: `deployment/${deployment?.metadata.name}` }));
  return { pods, sources: guarded === undefined ? sources : [guarded, ...sources] };
}

/** Returns a Deployment; `undefined` if it doesn't exist. */
async function readDeployment(kubectl: Kubectl, name: string): Promise<Deployment | undefined> {
  const output = await kubectl.run(["get", "deployment", name, "--ignore-not-found", "--output=json"]);
  return output === "" ? undefined : (JSON.parse(output) as Deployment);
}

/** Returns the newest pod that serves, otherwise the newest that runs. A pod that stops may use another database. */
function chooseSource(pods: readonly Pod[]): Source | undefined {
  const running = newestFirst(pods).filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === "Running",
  );
  const pod = running.find(isServing) ?? running[0];
  if (pod === undefined) return undefined;
  const container = pod.metadata.annotations?.[defaultContainerAnnotation] ?? pod.spec?.containers[0]?.name;
  return { object: `pod/${pod.metadata.name}`, container };
}
