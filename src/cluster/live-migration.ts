import type { Lock } from "../lockfile/lock.ts";
import type { MigratedApp } from "../manifests/app.ts";
import { appLabel, defaultContainerAnnotation } from "../manifests/names.ts";
import type { Reading } from "../plan/live-state.ts";
import { settled } from "./database-query.ts";
import type { Kubectl } from "./kubectl.ts";
import { readRevisions } from "./live-state.ts";
import type { Deployment, Pod } from "./objects.ts";
import { isServing, newestFirst } from "./pods.ts";

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
  chain: Pick<Lock, "versionTable" | "revisions">,
  unguarded: readonly string[],
): Promise<Reading> {
  const sources = await settled(findSources(kubectl, app, unguarded));
  if ("cause" in sources) return { kind: "unreachable", what: "cluster", cause: sources.cause };
  return readRevisions(kubectl, chain, sources.value);
}

/**
 * Finds the pods from which an app's database can be queried, the best one first.
 *
 * @throws {Error} If the cluster can't be queried.
 */
export async function findSources(
  kubectl: Kubectl,
  { partOf }: Pick<MigratedApp, "partOf">,
  unguarded: readonly string[],
): Promise<readonly Source[]> {
  const [pods, ...deployments] = await Promise.all([
    kubectl.get<{ items: Pod[] }>("pods", `--selector=${appLabel}=${partOf}`),
    ...unguarded.map((name) => readDeployment(kubectl, name)),
  ]);
  const guarded = chooseSource(pods.items);
  const objects = deployments.filter((deployment) => (deployment?.status?.replicas ?? 0) > 0);
  const sources = objects.map((deployment): Source => ({ object: `deployment/${deployment?.metadata.name}` }));
  return guarded === undefined ? sources : [guarded, ...sources];
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
