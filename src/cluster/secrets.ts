import type { Kubectl } from "./kubectl.ts";

/** What is read of a Secret: never a value. */
export interface SecretKeys {
  /** Changes with the Secret. */
  readonly resourceVersion: string;
  readonly keys: readonly string[];
}

const template = '{{.metadata.resourceVersion}}{{range $key, $value := .data}}{{"\\n"}}{{$key}}{{end}}';

/**
 * @returns The names of a Secret's keys, and its version; `undefined` if there is no such Secret.
 * @throws {Error} If the cluster can't be asked.
 */
export async function readSecretKeys(kubectl: Kubectl, name: string): Promise<SecretKeys | undefined> {
  const args = ["get", "secret", name, "--ignore-not-found", `--output=go-template=${template}`];
  const [resourceVersion = "", ...keys] = (await kubectl.run(args)).trim().split("\n");
  return resourceVersion === "" ? undefined : { resourceVersion, keys };
}
