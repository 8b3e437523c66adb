import { ownerAnnotation } from "../manifests/names.ts";
import type { Kubectl } from "./kubectl.ts";

/** Keys of a Secret, without their values. */
export interface SecretKeys {
  /** Changes with the Secret. */
  readonly resourceVersion: string;
  /** Whether a stack of this project declared it. */
  readonly isOurs: boolean;
  /** The stack that owns it, as `project/stack`. */
  readonly owner: string | undefined;
  readonly keys: readonly string[];
}

const annotation = (name: string) => `{{with index . "${name}"}}{{.}}{{end}}`;

/** Version and ownership on the first line, then one key a line. */
const template =
  `{{.metadata.resourceVersion}} {{with .metadata.annotations}}${annotation("pulumi.com/patchForce")} ` +
  `${annotation(ownerAnnotation)}{{end}}` +
  '{{range $key, $value := .data}}{{"\\n"}}{{$key}}{{end}}';

/**
 * Reads the keys of a Secret; no value is read.
 *
 * @returns `undefined` if the Secret doesn't exist.
 * @throws {KubectlError} If the cluster can't be queried.
 */
export async function readSecretKeys(kubectl: Kubectl, name: string): Promise<SecretKeys | undefined> {
  const args = ["get", "secret", name, "--ignore-not-found", `--output=go-template=${template}`];
  const [first = "", ...keys] = (await kubectl.run(args)).trim().split("\n");
  const [resourceVersion = "", mark, owner] = first.split(" ");
  if (resourceVersion === "") return undefined;
  return { resourceVersion, isOurs: mark === "true", owner: owner || undefined, keys };
}
