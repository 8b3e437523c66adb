import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Kubectl } from "../../src/cluster/kubectl.ts";
import type { Container } from "../../src/cluster/objects.ts";
import { nameLabel } from "../../src/manifests/names.ts";

/** A mutating webhook that adds a container to a workload's pods, as a mesh or a database proxy does. */
export interface Injector {
  /** Number of pods that got the container. */
  readonly count: number;
  /** Removes the webhook. */
  remove(): Promise<void>;
}

/** Parts of an AdmissionReview that the webhook reads. */
interface AdmissionReview {
  readonly request: { readonly uid: string; readonly object: { readonly spec: { readonly containers: Container[] } } };
}

/** Creates a self-signed certificate of this machine, and its key. */
function certificate(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), "unity-injector-"));
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", "/CN=injector"];
  execFileSync("openssl", [...request, "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout", key], {
    stdio: "ignore",
  });
  try {
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Injects a container into the new pods of a workload. The API server has to run on this machine.
 *
 * @param sidecar - Container to add, with the image and the security context of the pod's first one.
 */
export async function startInjector(
  kubectl: Kubectl,
  namespace: string,
  workload: string,
  sidecar: Pick<Container, "name" | "command">,
): Promise<Injector> {
  const tls = certificate();
  let count = 0;
  const server = createServer(tls, async (request, response) => {
    const { uid, object } = (JSON.parse(await text(request)) as AdmissionReview).request;
    count += 1;
    const [{ image, securityContext } = {}] = object.spec.containers;
    const patch = [{ op: "add", path: "/spec/containers/-", value: { ...sidecar, image, securityContext } }];
    const encoded = Buffer.from(JSON.stringify(patch)).toString("base64");
    const answer = { uid, allowed: true, patchType: "JSONPatch", patch: encoded };
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const name = `${namespace}-injector`;
  const webhook = {
    name: "injector.unity.test",
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(tls.cert).toString("base64") },
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    objectSelector: { matchLabels: { [nameLabel]: workload } },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
  };
  const kind = "MutatingWebhookConfiguration";
  const object = { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name }, webhooks: [webhook] };
  await kubectl.run(["apply", "--filename=-"], JSON.stringify(object));
  return {
    get count() {
      return count;
    },
    async remove() {
      await kubectl.run(["delete", kind, name, "--ignore-not-found"]);
      server.closeAllConnections();
      server.close();
    },
  };
}
