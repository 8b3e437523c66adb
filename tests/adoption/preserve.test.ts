import assert from "node:assert/strict";
import { preserve } from "../../src/adoption/preserve.ts";
import type { Deployment, Service } from "../../src/cluster/objects.ts";
import { unity } from "../../src/manifests/app.ts";
import { backendDeploymentSpec, backendServiceSpec, type Preserved } from "../../src/manifests/backend.ts";
import { backendOptions } from "../support/options.ts";
import { backend, live, ours, service } from "./objects.ts";

/** Returns the live objects after the manifests were applied. */
function applied(preserved: Preserved) {
  const { selector, template } = backendDeploymentSpec({
    ...backendOptions,
    preserved,
  }) as unknown as Deployment["spec"];
  return live(
    backend({}, { selector, template }, { annotations: ours }),
    service(backendServiceSpec(unity, preserved) as Service["spec"], ours),
  );
}

const own = { name: "http", port: 8000, targetPort: 8000 };

describe("preserve", () => {
  it("is empty without objects, or for objects of the manifests", () => {
    assert.deepEqual(preserve(live()), {});
    assert.deepEqual(preserve(applied({})), {});
  });

  it("returns the Deployment's selector, and its and the Service's pod labels", () => {
    const found = preserve(live(backend(), service({ selector: { tier: "api" }, ports: [own] })));
    assert.deepEqual(found, {
      selector: { matchLabels: { app: "unity-backend" } },
      podLabels: { app: "unity-backend", tier: "api" },
      serviceSelector: { tier: "api" },
    });
    const spec = backendDeploymentSpec({ ...backendOptions, preserved: found });
    assert.deepEqual(Reflect.get(Reflect.get(spec.template, "metadata"), "labels"), {
      "app.kubernetes.io/name": "unity-backend",
      "app.kubernetes.io/part-of": "unity",
      "pulumi-alembic/app": "unity",
      app: "unity-backend",
      tier: "api",
    });
  });

  it("returns the pods' labels that a selector's expressions match", () => {
    const matchExpressions = [
      { key: "tier", operator: "In", values: ["api", "web"] },
      { key: "canary", operator: "DoesNotExist" },
    ];
    const { selector, podLabels } = preserve(live(backend({}, { selector: { matchExpressions } })));
    assert.deepEqual([selector, podLabels], [{ matchExpressions }, { tier: "api" }]);
  });

  const ports: readonly [what: string, live: Service["spec"]["ports"], kept: Preserved["servicePorts"]][] = [
    [
      "its own, named as it was",
      [{ port: 8000, targetPort: "web" }],
      [{ port: 8000, targetPort: 8000, protocol: "TCP" }],
    ],
    [
      "others beside its own, by number for a named one",
      [
        { name: "api", port: 8000, targetPort: "web" },
        { name: "old", port: 80, targetPort: "web" },
      ],
      [
        { name: "api", port: 8000, targetPort: 8000, protocol: "TCP" },
        { name: "old", port: 80, targetPort: 8000, protocol: "TCP" },
      ],
    ],
    [
      "its own added to named ones",
      [{ name: "old", port: 80, targetPort: 8000 }],
      [
        { ...own, protocol: "TCP" },
        { name: "old", port: 80, targetPort: 8000, protocol: "TCP" },
      ],
    ],
    [
      "a nameless one alone, which can have none beside it",
      [{ port: 80, targetPort: 8000 }],
      [{ port: 80, targetPort: 8000, protocol: "TCP" }],
    ],
  ];
  for (const [what, found, kept] of ports) {
    it(`returns the Service's ports: ${what}`, () => {
      const objects = live(backend(), service({ selector: { app: "unity-backend" }, ports: found }));
      assert.deepEqual(preserve(objects).servicePorts, kept);
    });
  }

  it("is the same at every later update", () => {
    for (const [, found] of ports) {
      const first = preserve(live(backend(), service({ selector: { tier: "api" }, ports: found })));
      assert.deepEqual(preserve(applied(first)), first);
    }
  });

  it("keeps the Service's selector without a Deployment, and fixes one without pods", () => {
    const elsewhere = { app: "other" };
    const kept = preserve(live(service({ selector: elsewhere, ports: [own] })));
    assert.deepEqual(kept, { podLabels: elsewhere, serviceSelector: elsewhere });
    assert.deepEqual(
      preserve(live(backend(), service({ selector: elsewhere, ports: [own] }))).serviceSelector,
      elsewhere,
    );
    const { backend: declared } = applied({});
    assert.deepEqual(
      preserve({ backend: declared, service: service({ selector: elsewhere, ports: [own] }, ours) }),
      {},
    );
  });
});
