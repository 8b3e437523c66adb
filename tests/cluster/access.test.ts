import assert from "node:assert/strict";
import { accesses, missingAccess } from "../../src/cluster/access-review.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { type AccessRule, accessRules, roleRules } from "../../src/manifests/roles.ts";
import { fakeKubectl, nothingDeployed } from "../support/fake-kubectl.ts";

const rules: readonly AccessRule[] = [
  { apiGroup: "", resources: ["pods", "pods/log"], verbs: ["get"], purpose: "looking" },
  { apiGroup: "batch", resources: ["jobs"], verbs: ["create"], resourceNames: ["a", "b"], purpose: "doing" },
];
const kubectl = new Kubectl({ context: "here", namespace: "unity" });

describe("the rights of an account", () => {
  it("are asked for one by one: each verb of each resource, of each object where a rule names some", () => {
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

  it("that are missing are those which the server does not answer with true", async () => {
    const remove = fakeKubectl({ ...nothingDeployed, access: { output: "true false true false " } });
    const missing = await missingAccess(kubectl, accesses(rules)).finally(remove);
    assert.deepEqual(
      missing.map(({ resource, name }) => [resource, name]),
      [
        ["pods/log", undefined],
        ["jobs", "b"],
      ],
    );
  });

  it("are not known where the server answers less than was asked", async () => {
    const remove = fakeKubectl({ ...nothingDeployed, access: { output: "true" } });
    await assert.rejects(missingAccess(kubectl, accesses(rules)).finally(remove), /asked for 4 rights, told of 1/);
  });

  it("are given by a Role of the same rules", () => {
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

  it("for an update hold nothing by a wildcard, and read no Secret but the stack's", () => {
    for (const { resources, verbs, resourceNames } of accessRules("update", options)) {
      assert.ok(![...resources, ...verbs].includes("*"));
      if (resources.includes("secrets") && verbs.includes("get")) assert.ok(resourceNames?.length);
    }
  });

  it("on Secrets that others made are to look at them, and at no others", () => {
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

  it("on volume claims are asked only for a stack that has some, but for seeing which there are", () => {
    const about = (hasVolumes: boolean) => accesses(accessRules("update", { ...options, hasVolumes }));
    const claims = (hasVolumes: boolean) =>
      about(hasVolumes).filter(({ resource, verb }) => resource === "persistentvolumeclaims" && verb !== "list").length;
    assert.deepEqual([claims(true) > 0, claims(false)], [true, 0]);
  });
});
