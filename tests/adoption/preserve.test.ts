import assert from "node:assert/strict";
import { preserve } from "../../src/adoption/preserve.ts";
import type { LiveDeployment, LiveService } from "../../src/cluster/live-objects.ts";
import { backendDeploymentSpec, backendServiceSpec, type Preserved } from "../../src/manifests/backend.ts";
import { backendOptions } from "../support/options.ts";
import { backend, live, ours, service } from "./objects.ts";

/** The objects that live once the manifests were applied. */
function applied(preserved: Preserved) {
  const { selector, template } = backendDeploymentSpec({
    ...backendOptions,
    preserved,
  }) as unknown as LiveDeployment["spec"];
  return live(
    backend({}, { selector, template }, { annotations: ours }),
    service(backendServiceSpec(preserved) as LiveService["spec"], ours),
  );
}

const own = { name: "http", port: 8000, targetPort: 8000 };

describe("what the backend inherits", () => {
  it("is nothing where nothing is there, or all is as this project makes it", () => {
    assert.deepEqual(preserve(live()), {});
    assert.deepEqual(preserve(applied({})), {});
  });

  it("is the Deployment's selector, and the labels that it and the Service find pods by", () => {
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
      app: "unity-backend",
      tier: "api",
    });
  });

  it("is what an expression of the selector finds pods by, as far as they have it", () => {
    const matchExpressions = [
      { key: "tier", operator: "In", values: ["api", "web"] },
      { key: "canary", operator: "DoesNotExist" },
    ];
    const { selector, podLabels } = preserve(live(backend({}, { selector: { matchExpressions } })));
    assert.deepEqual([selector, podLabels], [{ matchExpressions }, { tier: "api" }]);
  });

  const ports: readonly [what: string, live: LiveService["spec"]["ports"], kept: Preserved["servicePorts"]][] = [
    [
      "its own, named as it was",
      [{ port: 8000, targetPort: "web" }],
      [{ port: 8000, targetPort: 8000, protocol: "TCP" }],
    ],
    [
      "others beside its own, by the number that the container has for the name",
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
    it(`is the Service's ports: ${what}`, () => {
      const objects = live(backend(), service({ selector: { app: "unity-backend" }, ports: found }));
      assert.deepEqual(preserve(objects).servicePorts, kept);
    });
  }

  it("is the same at the update after, and at any after that", () => {
    for (const [, found] of ports) {
      const first = preserve(live(backend(), service({ selector: { tier: "api" }, ports: found })));
      assert.deepEqual(preserve(applied(first)), first);
    }
  });

  it("keeps the Service's selector where the Deployment is gone, and mends one that finds no pod of the stack's", () => {
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
