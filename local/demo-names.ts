import { contentHash } from "../src/plan/job-identity.ts";

/** What a demo is called where it must not meet another one. */
export interface DemoNames {
  /** Its stack, whose files are in the cache folder. */
  readonly stack: string;
  readonly namespace: string;
  /** Name of the backend's image, where the demo builds it: of each name the newest are kept. */
  readonly imageName: string;
}

/**
 * @param name What `STACK` says: the name of a demo beside the first; the first one has none.
 * @param cluster Where it is. A stack a cluster: one that moved to another would delete what it has on the first. On a
 * user's the namespace is not `unity`: what lives there is none of a demo's business.
 * @throws {Error} If the name can't be a part of a namespace's name.
 */
export function demoNames(
  name: string | undefined,
  { own, context }: { readonly own: boolean; readonly context: string },
): DemoNames {
  const onCluster = (stack: string) => (own ? stack : `${stack}-${contentHash(context)}`);
  if (name === undefined || name === "")
    return { stack: onCluster("dev"), namespace: own ? "unity" : "unity-demo", imageName: "unity-backend" };
  if (!/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name)) {
    throw new Error(
      `STACK is ${JSON.stringify(name)}; it must be lower-case letters, digits and hyphens, at most 32: make demo STACK=second`,
    );
  }
  return {
    stack: onCluster(`demo-${name}`),
    namespace: `unity-demo-${name}`,
    imageName: `unity-backend-demo-${name}`,
  };
}
