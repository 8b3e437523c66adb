import { contentHash } from "../src/plan/job-identity.ts";

/** Names that must differ between demos. */
export interface DemoNames {
  /** The stack. Its files are in the cache folder. */
  readonly stack: string;
  readonly namespace: string;
  /** Name of the backend's image if the demo builds it. The newest images of a name are kept. */
  readonly imageName: string;
}

/**
 * Returns the names of a demo. Each cluster has its own stack: a stack that moved to another cluster would delete its
 * resources on the first. On a user's cluster the namespace is not `unity`, which may be in use.
 *
 * @param name - Value of `STACK`: the name of an additional demo.
 * @param cluster - The demo's cluster.
 * @throws If the name is not valid in a namespace's name.
 */
export function demoNames(
  name: string | undefined,
  cluster: { readonly isLocal: boolean; readonly context: string },
): DemoNames {
  const { isLocal, context } = cluster;
  const stackSuffix = isLocal ? "" : `-${contentHash(context)}`;
  if (name === undefined || name === "") {
    const namespace = isLocal ? "unity" : "unity-demo";
    return { stack: `dev${stackSuffix}`, namespace, imageName: "unity-backend" };
  }
  if (!/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name)) {
    throw new Error(
      `invalid STACK ${JSON.stringify(name)}: must be at most 32 lowercase letters, digits, and hyphens\n` +
        "For example, run: make demo STACK=second",
    );
  }
  return {
    stack: `demo-${name}${stackSuffix}`,
    namespace: `unity-demo-${name}`,
    imageName: `unity-backend-demo-${name}`,
  };
}
