import assert from "node:assert/strict";
import { ApiError, isTransient, pathOf } from "../../local/engine/kubernetes/client.ts";
import { shortTitle } from "../support/titles.ts";

const coded = (code: string) => Object.assign(new Error(code), { code });

describe("engine Kubernetes client", () => {
  for (const error of [coded("ECONNREFUSED"), coded("ECONNRESET"), coded("ETIMEDOUT"), new ApiError(503)])
    it(shortTitle(`retries after ${error.message}`), () => assert.equal(isTransient(error), true));
  for (const error of [
    coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    coded("CERT_HAS_EXPIRED"),
    new ApiError(401),
    new ApiError(403),
  ])
    it(shortTitle(`does not retry after ${error.message}`), () => assert.equal(isTransient(error), false));

  it("maps objects to API paths", () => {
    const at = (apiVersion: string, kind: string, namespace?: string) =>
      pathOf({ apiVersion, kind, metadata: { name: "n", namespace } });
    assert.deepEqual(
      [at("v1", "Namespace"), at("v1", "ConfigMap", "a"), at("networking.k8s.io/v1", "NetworkPolicy", "a")],
      [
        "/api/v1/namespaces/n",
        "/api/v1/namespaces/a/configmaps/n",
        "/apis/networking.k8s.io/v1/namespaces/a/networkpolicies/n",
      ],
    );
  });
});
