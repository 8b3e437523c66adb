import assert from "node:assert/strict";
import { preservedPod, preservedPodRejections, withPreservedPod } from "../../src/adoption/preserved-pod.ts";
import { type Deployment, objectsOf } from "../../src/cluster/objects.ts";
import { backendDeploymentSpec } from "../../src/manifests/backend.ts";
import type { PlainPodConfig } from "../../src/manifests/pod-config.ts";
import type { Settings } from "../../src/settings/settings.ts";
import { backendOptions } from "../support/options.ts";
import { backend, configured, container, ours } from "./objects.ts";

const found = (deployment: Deployment, dropped: readonly string[] = []) =>
  preservedPod(objectsOf([deployment]), dropped);

/** Returns settings with a configuration of the backend's pods. */
const settings = (own: PlainPodConfig = {}) => ({ pods: { backend: own, gate: {}, migration: {} } }) as Settings;

const merged = (preserved: PlainPodConfig | undefined, own: PlainPodConfig = {}) =>
  withPreservedPod(settings(own), preserved).pods;

/** Returns a stack's Deployment with a recorded configuration. */
const recorded = (text: string) => backend({}, {}, { annotations: { ...ours, "pulumi-alembic/preserved": text } });

describe("preservedPod", () => {
  const template = configured().spec.template;
  const [app, exporter] = template.spec.containers;
  const [proxy, assets] = template.spec.initContainers ?? [];
  const { imagePullSecrets, nodeSelector, tolerations, affinity, topologySpreadConstraints, priorityClassName } =
    template.spec;

  it("returns what an operator configured, without the project's own and Alembic", () => {
    assert.deepEqual(found(configured()), {
      env: app?.env?.slice(1),
      envFrom: app?.envFrom,
      volumeMounts: app?.volumeMounts?.slice(0, 2),
      command: ["gunicorn"],
      labels: { team: "shop" },
      annotations: { "example.com/scrape": "true" },
      serviceAccountName: "shop",
      ...{ imagePullSecrets, nodeSelector, tolerations, affinity, topologySpreadConstraints, priorityClassName },
      volumes: template.spec.volumes?.slice(0, 2),
      initContainers: [proxy, assets],
      containers: [exporter],
      resources: { limits: { cpu: "2" } },
    });
  });

  it("is empty for what the project declares itself", () => {
    const spec = backendDeploymentSpec({ ...backendOptions, replicas: 1 }) as unknown as Deployment["spec"];
    assert.equal(found(backend({}, spec)), undefined);
    assert.equal(preservedPod(objectsOf([])), undefined);
  });

  it("keeps an explicit user, and a limited tmp, but no root and no read-only tmp", () => {
    const limited = { name: "tmp", emptyDir: { sizeLimit: "1Gi" } };
    const kept = found(configured({ securityContext: { runAsUser: 1000 }, volumes: [limited] }));
    assert.deepEqual([kept?.userId, kept?.volumes], [1000, [limited]]);
    const readOnly = { name: "tmp", configMap: { name: "x" } };
    const others = found(configured({ securityContext: { runAsUser: 0 }, volumes: [readOnly] }));
    assert.deepEqual([others?.userId, others?.volumes], [undefined, undefined]);
  });

  it("keeps no command that runs Alembic", () => {
    const { command, args } = found(configured({}, { args: ["-c", "alembic upgrade head && gunicorn"] })) ?? {};
    assert.deepEqual([command, args], [["gunicorn"], undefined]);
  });

  it("drops what the settings name, with the mounts of a dropped volume", () => {
    const pod = found(configured(), ["env/PASSWORD", "volume/data", "container/exporter", "affinity", "label/team"]);
    assert.deepEqual(
      [pod?.env?.map(({ name }) => name), pod?.volumes?.length, pod?.volumeMounts?.length],
      [["TOKEN"], 1, 1],
    );
    assert.deepEqual([pod?.containers, pod?.affinity, pod?.labels], [undefined, undefined, undefined]);
  });

  it("is what a stack's Deployment records, so that every update preserves it", () => {
    const first = found(configured());
    assert.deepEqual(found(recorded(JSON.stringify(first))), first);
    assert.equal(found(backend({}, configured().spec, { annotations: ours })), undefined);
    const { env } = found(recorded(JSON.stringify(first)), ["env/PASSWORD"]) ?? {};
    assert.deepEqual(
      env?.map(({ name }) => name),
      ["TOKEN"],
    );
  });
});

describe("withPreservedPod", () => {
  it("lets the settings win by key, and returns the preserved value without them", () => {
    const own: PlainPodConfig = {
      env: [{ name: "PASSWORD", value: "other" }],
      nodeSelector: { pool: "other" },
      resources: { limits: { memory: "1Gi" } },
      priorityClassName: "low",
    };
    const { backend: pod } = merged(found(configured()), own);
    assert.deepEqual(
      pod.env?.map(({ name, value }) => [name, value]),
      [
        ["PASSWORD", "other"],
        ["TOKEN", undefined],
      ],
    );
    assert.deepEqual([pod.nodeSelector, pod.priorityClassName], [{ pool: "other" }, "low"]);
    assert.deepEqual(pod.resources, { limits: { cpu: "2", memory: "1Gi" } });
    assert.equal(merged(found(configured())).backend.env?.[0]?.value, "s3cret");
  });

  it("adds nothing twice that the settings contain, too", () => {
    const preserved = found(configured());
    const { envFrom, tolerations } = merged(preserved, preserved).backend;
    assert.deepEqual([envFrom, tolerations], [preserved?.envFrom, preserved?.tolerations]);
  });

  it("leaves the service account to settings that annotate the project's", () => {
    const own = { serviceAccountAnnotations: { role: "x" } };
    assert.equal(merged(found(configured()), own).backend.serviceAccountName, undefined);
  });

  it("gives the Job what env.py may need: no claim, no container that ends, no command", () => {
    const preserved = found(configured());
    const { migration } = merged(preserved);
    assert.deepEqual([migration.env, migration.envFrom], [preserved?.env, preserved?.envFrom]);
    assert.deepEqual(
      [migration.volumes, migration.volumeMounts, migration.initContainers].map((list) =>
        list?.map(({ name }) => name),
      ),
      [["files"], ["files"], ["proxy"]],
    );
    assert.deepEqual(
      [migration.command, migration.containers, migration.serviceAccountName, migration.resources],
      [undefined, undefined, undefined, undefined],
    );
    assert.deepEqual(migration.nodeSelector, { pool: "web" });
  });

  it("changes no settings without a preserved configuration", () => {
    const given = settings({ priorityClassName: "low" });
    assert.equal(withPreservedPod(given, undefined), given);
  });
});

describe("the backend's manifest", () => {
  it("has the preserved resources instead of the defaults", () => {
    const resources = (preserved: PlainPodConfig | undefined, own: PlainPodConfig = {}) => {
      const options = { ...backendOptions, preservedPod: preserved, pod: merged(preserved, own).backend };
      const { template } = backendDeploymentSpec(options) as unknown as Deployment["spec"];
      return template.spec.containers[0]?.resources;
    };
    const none = found(backend({ containers: [container({ resources: {} })] }));
    assert.deepEqual(resources(none), {});
    assert.deepEqual(resources(none, { resources: { limits: { memory: "1Gi" } } }), { limits: { memory: "1Gi" } });
    assert.deepEqual(resources(undefined)?.limits, { memory: "512Mi" });
  });
});

describe("preservedPodRejections", () => {
  const node = { name: "node", hostPath: { path: "/" } };
  const rejections = (
    deployment: Deployment,
    dropped: readonly string[] = [],
    level: "restricted" | "privileged" = "restricted",
  ) => preservedPodRejections(deployment, found(deployment, dropped), level, dropped);

  it("is empty for what the restricted standard allows", () => assert.deepEqual(rejections(configured()), []));

  it("names what violates the standard, how to waive it, and how to drop it", () => {
    const deployment = configured({
      volumes: [{ name: "files", emptyDir: {} }, { name: "data", emptyDir: {} }, node],
      containers: [container(), { name: "agent", image: "a", securityContext: { privileged: true } }],
    });
    const [message = "", ...others] = rejections(deployment);
    assert.deepEqual(others, []);
    assert.match(message, /^deployment\/unity-backend can't be adopted with /);
    assert.match(message, /container\/agent: securityContext\.privileged must be false under the restricted/);
    assert.match(message, /volume\/node: hostPath must be a volume of type configMap, /);
    assert.match(message, /config set podSecurityStandard privileged\./);
    assert.match(message, /config set adoptWithout container\/agent,volume\/node$/);
    assert.deepEqual(rejections(deployment, [], "privileged"), []);
    assert.deepEqual(rejections(deployment, ["container/agent", "volume/node"]), []);
    assert.match(rejections(deployment, ["volume/node"])[0] ?? "", /adoptWithout volume\/node,container\/agent$/);
  });

  it("rejects a name that the Deployment doesn't have, until it is adopted", () => {
    assert.match(
      rejections(configured(), ["env/PASWORD"])[0] ?? "",
      /adoptWithout names env\/PASWORD, .* env\/PASSWORD,/,
    );
    assert.deepEqual(rejections(recorded("{}"), ["env/PASSWORD"]), []);
  });

  it("rejects a record that can't be read, and a recorded violation", () => {
    for (const text of ["", "[]", "null", "{"])
      assert.match(rejections(recorded(text))[0] ?? "", /pulumi-alembic\/preserved is not/);
    const [message = ""] = rejections(recorded(JSON.stringify({ volumes: [node] })));
    assert.match(message, /volume\/node: hostPath must be/);
  });

  it("shows no value of a variable", () => {
    assert.doesNotMatch(JSON.stringify(rejections(configured({ volumes: [node] }), ["x"])), /s3cret/);
  });
});
