import assert from "node:assert/strict";
import { type AccessRule, accessRules, roleRules } from "../../src/manifests/roles.ts";
import { accesses, missingAccess } from "../../src/preflight/permissions.ts";
import { fakeKubectl } from "../support/fake-kubectl.ts";

const rules: readonly AccessRule[] = [
  { apiGroup: "", resources: ["pods", "pods/log"], verbs: ["get"], purpose: "reading" },
  { apiGroup: "batch", resources: ["jobs"], verbs: ["create"], resourceNames: ["a", "b"], purpose: "creating" },
];

describe("permissions", () => {
  it("are reviewed one by one: each verb of each resource, and of each named object", () => {
    assert.deepEqual(
      accesses(rules).map(({ apiGroup, resource, verb, name }) => [apiGroup, resource, verb, name]),
      [
        ["", "pods", "get", undefined],
        ["", "pods/log", "get", undefined],
        ["batch", "jobs", "create", "a"],
        ["batch", "jobs", "create", "b"],
      ],
    );
  });

  it("are missing unless the server answers true", async () => {
    using fake = fakeKubectl({ access: { output: "true false true false " } });
    const missing = await missingAccess(fake.kubectl, accesses(rules));
    assert.deepEqual(
      missing.map(({ resource, name }) => [resource, name]),
      [
        ["pods/log", undefined],
        ["jobs", "b"],
      ],
    );
  });

  it("are unknown if the server returns fewer results than reviews", async () => {
    using fake = fakeKubectl({ access: { output: "true" } });
    await assert.rejects(
      missingAccess(fake.kubectl, accesses(rules)),
      /reviewed 4 permissions, but received 1 results/,
    );
  });

  it("are granted by a Role of the same rules", () => {
    assert.deepEqual(roleRules(rules)[1], {
      apiGroups: ["batch"],
      resources: ["jobs"],
      verbs: ["create"],
      resourceNames: ["a", "b"],
    });
  });

  const ownSecrets = ["unity-database", "unity-migrations"];
  const options = { namespace: "unity", hasVolumes: true, ownSecrets, existingSecrets: [], hasSeparateRoles: true };
  it("for a preview change nothing, and read no Secret", () => {
    for (const { resources, verbs } of accessRules("preview", options)) {
      assert.ok(!resources.includes("secrets"));
      const changing = verbs.filter((verb) => !["get", "list", "watch"].includes(verb));
      assert.deepEqual(changing, resources.includes("pods/exec") ? ["create"] : []);
    }
  });

  it("on the namespace are to read its labels only: others would allow privileged pods", () => {
    for (const task of ["preview", "update"] as const) {
      const about = accesses(accessRules(task, options)).filter(({ resource }) => resource.startsWith("namespaces"));
      assert.deepEqual(
        about.map(({ verb, name }) => [verb, name]),
        [["get", "unity"]],
      );
    }
  });

  it("for an update grant nothing that creates pods or tokens, and no Roles", () => {
    for (const { apiGroup, resource, verb } of accesses(accessRules("update", options))) {
      assert.notEqual(apiGroup, "rbac.authorization.k8s.io");
      assert.ok(!["serviceaccounts/token", "pods/ephemeralcontainers"].includes(resource));
      if (resource === "pods") assert.ok(!["create", "patch", "update"].includes(verb));
    }
  });

  it("for an update have no wildcard, and read no other Secret than the stack's", () => {
    for (const { resources, verbs, resourceNames } of accessRules("update", options)) {
      assert.ok(![...resources, ...verbs].includes("*"));
      if (resources.includes("secrets") && verbs.includes("get")) assert.ok(resourceNames?.length);
    }
  });

  it("on existing Secrets are to read these only", () => {
    for (const task of ["preview", "update"] as const) {
      const named = accessRules(task, { ...options, existingSecrets: ["mine"] }).filter(({ resourceNames = [] }) =>
        resourceNames.includes("mine"),
      );
      assert.deepEqual(
        named.map(({ verbs, resourceNames }) => [verbs, resourceNames]),
        [[["get"], ["mine"]]],
      );
    }
  });

  it("on volume claims, except list, are required only for a stack that has some", () => {
    const about = (hasVolumes: boolean) => accesses(accessRules("update", { ...options, hasVolumes }));
    const claims = (hasVolumes: boolean) =>
      about(hasVolumes).filter(({ resource, verb }) => resource === "persistentvolumeclaims" && verb !== "list").length;
    assert.deepEqual([claims(true) > 0, claims(false)], [true, 0]);
  });
});
