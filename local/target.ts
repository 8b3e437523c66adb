import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { ensureBinaries, hasBinaries } from "./cluster/build.ts";
import { clusterName } from "./cluster/config.ts";
import { clusterIsHealthy } from "./cluster/health.ts";
import { ensurePrerequisites, requireRoot } from "./cluster/prerequisites.ts";
import { runTogether } from "./cluster/run.ts";
import { startCluster } from "./cluster/start.ts";
import { type DemoNames, demoNames } from "./demo-names.ts";
import { type DeveloperCluster, findDeveloperCluster, isBuiltByDocker, loadImage } from "./developer-cluster.ts";
import { type Build, backendBuild, buildImages, buildReference, ensureImage, postgresBuild } from "./images/build.ts";
import { stackFolder } from "./stack.ts";

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
export interface Target extends OtherCluster, DemoNames {
  readonly image: string;
  /** @defaultValue The default of the setting `postgresImage`. */
  readonly postgresImage: string | undefined;
}

/** A cluster that exists without this project: the user's, or a kind, k3d, or minikube cluster. */
interface OtherCluster extends Cluster {
  /** @defaultValue the images come from a registry */
  readonly developer?: DeveloperCluster | undefined;
}

/**
 * Finds the cluster of `CONTEXT`, otherwise a running kind, k3d, or minikube cluster.
 *
 * @returns `undefined` for the local cluster: if `CONTEXT` is its context, if it is running or has the demo, and by default.
 */
export async function findOtherCluster(environment: NodeJS.ProcessEnv): Promise<OtherCluster | undefined> {
  const { CONTEXT, STACK } = environment;
  if (CONTEXT === clusterName) return undefined;
  const local = { isLocal: true, context: clusterName };
  if (CONTEXT === undefined && (existsSync(stackFolder(demoNames(STACK, local).stack)) || (await clusterIsHealthy())))
    return undefined;
  const developer = await findDeveloperCluster(CONTEXT);
  const context = CONTEXT ?? developer?.context;
  return context === undefined
    ? undefined
    : { isLocal: false, context, kubectlFolder: undefined, environment, developer };
}

/** Opens the user's cluster, or starts the local one, as {@link findOtherCluster} selects. */
export async function openCluster(environment: NodeJS.ProcessEnv): Promise<Cluster> {
  return (await findOtherCluster(environment)) ?? openLocalCluster(environment);
}

async function openLocalCluster(environment: NodeJS.ProcessEnv): Promise<Cluster> {
  const { kubeconfig, context, binaries } = await startCluster();
  const path = [binaries, environment.PATH].join(delimiter);
  return {
    isLocal: true,
    context,
    kubectlFolder: binaries,
    environment: { ...environment, PATH: path, KUBECONFIG: kubeconfig },
  };
}

/** Work during a build; gets the reference of the backend's image. */
type Beside = (image: string, signal: AbortSignal) => Promise<void>;

/**
 * Opens the cluster that {@link findOtherCluster} selects, and builds the images, unless `IMAGE` is the backend's. `STACK` is the
 * name of an additional demo.
 *
 * @param beside - Runs during the first build.
 * @throws If `CONTEXT` or `IMAGE` is missing, or `STACK` is invalid.
 */
export async function openTarget(environment: NodeJS.ProcessEnv, beside: Beside = async () => {}): Promise<Target> {
  const { CONTEXT, IMAGE, POSTGRES_IMAGE, STACK } = environment;
  const other = await findOtherCluster(environment);
  const required = "a cluster of your own requires CONTEXT and IMAGE";
  const example = "For example, run: make demo CONTEXT=my-cluster IMAGE=registry.example/unity-backend:1.0";
  if (IMAGE !== undefined) {
    if (CONTEXT === clusterName)
      throw new Error(
        `IMAGE can't be set for ${clusterName}, whose images are built\nUnset IMAGE, or set another CONTEXT`,
      );
    if (CONTEXT === undefined || other === undefined) throw new Error(`CONTEXT is not set; ${required}\n${example}`);
    return { ...other, ...demoNames(STACK, other), image: IMAGE, postgresImage: POSTGRES_IMAGE };
  }
  if (other === undefined) return openLocalTarget(environment, beside);
  const { developer } = other;
  if (developer === undefined)
    throw new Error(
      `IMAGE is not set; ${required}, unless it is a running kind, k3d, or minikube cluster and Docker runs\n${example}`,
    );
  console.log(
    `Using ${developer.tool} cluster ${developer.name} (context ${developer.context}). ` +
      `To use the project's own cluster, set CONTEXT=${clusterName}`,
  );
  const names = demoNames(STACK, other);
  return { ...other, ...names, image: await loadBackend(developer, names, beside), postgresImage: POSTGRES_IMAGE };
}

async function loadBackend(developer: DeveloperCluster, { imageName }: DemoNames, beside: Beside): Promise<string> {
  const build = backendBuild(imageName);
  const isFirst = !(await isBuiltByDocker(build));
  const tasks = [(signal: AbortSignal): Promise<unknown> => loadImage(developer, build, signal)];
  if (isFirst) tasks.push((signal) => beside(buildReference(build), signal));
  await runTogether(...tasks);
  return buildReference(build);
}

async function openLocalTarget(environment: NodeJS.ProcessEnv, beside: Beside): Promise<Target> {
  const names = demoNames(environment.STACK, { isLocal: true, context: clusterName });
  const backend = backendBuild(names.imageName);
  await buildTogether([backend, postgresBuild], (signal) => beside(buildReference(backend), signal));
  const cluster = await openLocalCluster(environment);
  const image = await ensureImage(backend);
  const postgresImage = await ensureImage(postgresBuild);
  return { ...cluster, ...names, image, postgresImage };
}

/**
 * Builds Kubernetes, images, and what `beside` does at the same time: each takes minutes, and downloads leave time to compile.
 * Does only what the machine lacks.
 */
async function buildTogether(images: readonly Build[], beside: (signal: AbortSignal) => Promise<void>): Promise<void> {
  let isBuilt: boolean;
  try {
    requireRoot();
    isBuilt = await hasBinaries();
  } catch (error) {
    await beside(new AbortController().signal); // which needs neither root nor Go
    throw error;
  }
  if (isBuilt) return ensurePrerequisites();
  await runTogether(
    ensureBinaries,
    async (signal) => {
      await ensurePrerequisites();
      await buildImages(images, signal);
    },
    beside,
  );
}
