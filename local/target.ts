import { delimiter } from "node:path";
import { startCluster } from "./cluster/start.ts";
import { ensureBackendImage, ensurePostgresImage } from "./images/images.ts";

/** A cluster to deploy to, and the images to deploy. */
export interface Target {
  /** Whether the cluster is the one that this project starts. */
  readonly own: boolean;
  readonly context: string;
  /** On a user's cluster not `unity`: what lives there is none of a demo's business. */
  readonly namespace: string;
  readonly image: string;
  /** `undefined`: the settings' default. */
  readonly postgresImage: string | undefined;
  /** Folder of the kubectl that comes with this project's cluster; `undefined` on the user's, who has one. */
  readonly kubectlFolder: string | undefined;
  /** Environment in which kubectl and the program find the cluster. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The user's cluster, if `CONTEXT` names one of their kubeconfig's contexts and `IMAGE` the backend's image; else the
 * one-node cluster of this project, started, with images built from the Dockerfiles.
 *
 * @throws {Error} If only one of the two is given.
 */
export async function openTarget(environment: NodeJS.ProcessEnv): Promise<Target> {
  const { CONTEXT: context, IMAGE: image, POSTGRES_IMAGE: postgresImage } = environment;
  if (context !== undefined && image !== undefined) {
    return {
      own: false,
      context,
      namespace: "unity-demo",
      image,
      postgresImage,
      kubectlFolder: undefined,
      environment,
    };
  }
  if (context !== undefined || image !== undefined) {
    throw new Error(
      `${context === undefined ? "CONTEXT" : "IMAGE"} is not set: a cluster of your own needs both, for example\n` +
        "  make demo CONTEXT=my-cluster IMAGE=registry.example/unity-backend:1.0",
    );
  }
  const { kubeconfig, context: own, binaries } = await startCluster();
  return {
    own: true,
    context: own,
    namespace: "unity",
    image: await ensureBackendImage(),
    postgresImage: await ensurePostgresImage(),
    kubectlFolder: binaries,
    environment: { ...environment, PATH: [binaries, environment.PATH].join(delimiter), KUBECONFIG: kubeconfig },
  };
}
