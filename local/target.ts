import { delimiter } from "node:path";
import { ensureBinaries, hasBinaries } from "./cluster/build.ts";
import { clusterName } from "./cluster/config.ts";
import { ensurePrerequisites } from "./cluster/prerequisites.ts";
import { runTogether } from "./cluster/run.ts";
import { startCluster } from "./cluster/start.ts";
import { type DemoNames, demoNames } from "./demo-names.ts";
import { type Build, backendBuild, buildImages, buildReference, ensureImage, postgresBuild } from "./images/build.ts";

/** A cluster to deploy to. */
export interface Cluster {
  /** Whether this is the local cluster, as opposed to a user's. */
  readonly isLocal: boolean;
  readonly context: string;
  /** Folder of the local cluster's kubectl. */
  readonly kubectlFolder: string | undefined;
  /** Environment in which kubectl and the program find the cluster. */
  readonly environment: NodeJS.ProcessEnv;
}

/** A cluster, and the names and images of a demo on it. */
export interface Target extends Cluster, DemoNames {
  readonly image: string;
  /** @defaultValue The default of the setting `postgresImage`. */
  readonly postgresImage: string | undefined;
}

/** Opens the user's cluster if `CONTEXT` is set. Otherwise, starts the local cluster. */
export async function openCluster(environment: NodeJS.ProcessEnv): Promise<Cluster> {
  const { CONTEXT } = environment;
  if (CONTEXT !== undefined) return { isLocal: false, context: CONTEXT, kubectlFolder: undefined, environment };
  const { kubeconfig, context, binaries } = await startCluster();
  const path = [binaries, environment.PATH].join(delimiter);
  return {
    isLocal: true,
    context,
    kubectlFolder: binaries,
    environment: { ...environment, PATH: path, KUBECONFIG: kubeconfig },
  };
}

/**
 * Opens the user's cluster if `CONTEXT` and `IMAGE`, the backend's image, are set. Otherwise, starts the local cluster and
 * builds the images. `STACK` is the name of an additional demo.
 *
 * @param beside - Runs while Kubernetes is built; gets the reference of the backend's image.
 * @throws If only one of `CONTEXT` and `IMAGE` is set, or `STACK` is invalid.
 */
export async function openTarget(
  environment: NodeJS.ProcessEnv,
  beside: (image: string, signal: AbortSignal) => Promise<void> = async () => {},
): Promise<Target> {
  const { CONTEXT, IMAGE, POSTGRES_IMAGE, STACK } = environment;
  if ((CONTEXT === undefined) !== (IMAGE === undefined)) {
    const missing = CONTEXT === undefined ? "CONTEXT" : "IMAGE";
    throw new Error(
      `${missing} is not set; a cluster of your own requires CONTEXT and IMAGE\n` +
        "For example, run: make demo CONTEXT=my-cluster IMAGE=registry.example/unity-backend:1.0",
    );
  }
  if (IMAGE !== undefined) {
    const cluster = await openCluster(environment);
    return { ...cluster, ...demoNames(STACK, cluster), image: IMAGE, postgresImage: POSTGRES_IMAGE };
  }

  const names = demoNames(STACK, { isLocal: true, context: clusterName });
  const backend = backendBuild(names.imageName);
  await buildTogether([backend, postgresBuild], (signal) => beside(buildReference(backend), signal));
  const cluster = await openCluster(environment);
  const image = await ensureImage(backend);
  const postgresImage = await ensureImage(postgresBuild);
  return { ...cluster, ...names, image, postgresImage };
}

/**
 * Builds Kubernetes, images, and what `beside` does at the same time: each takes minutes, and downloads leave time to compile.
 * Does only what the machine lacks.
 */
async function buildTogether(images: readonly Build[], beside: (signal: AbortSignal) => Promise<void>): Promise<void> {
  if (await hasBinaries()) return ensurePrerequisites();
  await runTogether(
    ensureBinaries,
    async (signal) => {
      await ensurePrerequisites();
      await buildImages(images, signal);
    },
    beside,
  );
}
