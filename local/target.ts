import { delimiter } from "node:path";
import { startCluster } from "./cluster/start.ts";
import { type DemoNames, demoNames } from "./demo-names.ts";
import { ensureBackendImage, ensurePostgresImage } from "./images/images.ts";

/** A cluster to deploy to. */
export interface Cluster {
  /** Whether the cluster is the one that this project starts. */
  readonly own: boolean;
  readonly context: string;
  /** Folder of the kubectl that comes with this project's cluster; `undefined` on the user's, who has one. */
  readonly kubectlFolder: string | undefined;
  /** Environment in which kubectl and the program find the cluster. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Where a demo is deployed, under which names, and the images to deploy. */
export interface Target extends Cluster, DemoNames {
  readonly image: string;
  /** `undefined`: the settings' default. */
  readonly postgresImage: string | undefined;
}

/** The user's cluster, if `CONTEXT` names one of their kubeconfig's contexts; else this project's, started. */
export async function openCluster(environment: NodeJS.ProcessEnv): Promise<Cluster> {
  const { CONTEXT: context } = environment;
  if (context !== undefined) return { own: false, context, kubectlFolder: undefined, environment };
  const { kubeconfig, context: own, binaries } = await startCluster();
  return {
    own: true,
    context: own,
    kubectlFolder: binaries,
    environment: { ...environment, PATH: [binaries, environment.PATH].join(delimiter), KUBECONFIG: kubeconfig },
  };
}

/**
 * The user's cluster, if `CONTEXT` names one of their kubeconfig's contexts and `IMAGE` the backend's image; else the
 * one-node cluster of this project, started, with images built from the Dockerfiles. `STACK` names a demo beside the first.
 *
 * @throws {Error} If only one of the two is given, or the demo's name can't be one.
 */
export async function openTarget(environment: NodeJS.ProcessEnv): Promise<Target> {
  const { CONTEXT: context, IMAGE: image, POSTGRES_IMAGE: postgresImage, STACK: name } = environment;
  if ((context === undefined) !== (image === undefined)) {
    throw new Error(
      `${context === undefined ? "CONTEXT" : "IMAGE"} is not set: a cluster of your own needs both, for example\n` +
        "  make demo CONTEXT=my-cluster IMAGE=registry.example/unity-backend:1.0",
    );
  }
  const cluster = await openCluster(environment);
  const names = demoNames(name, cluster);
  if (image !== undefined) return { ...cluster, ...names, image, postgresImage };
  return {
    ...cluster,
    ...names,
    image: await ensureBackendImage(undefined, names.imageName),
    postgresImage: await ensurePostgresImage(),
  };
}
