import assert from "node:assert/strict";
import { type AccessRule, accessRules, roleRules } from "../../src/manifests/roles.ts";
import { accesses, missingAccess } from "../../src/preflight/permissions.ts";
import { fakeKubectl, kubectlProgram } from "../support/fake-kubectl.ts";

const rules: readonly AccessRule[] = [
  { apiGroup: "", resources: ["pods", "pods/log"], verbs: ["get"], purpose: "reading" },
  { apiGroup: "batch", resources: ["jobs"], verbs: ["create"], resourceNames: ["a", "b"], purpose: "creating" },
];

describe("permissions", () => {
  it("are single ones: each verb of each resource, and of each named object", () => {
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

  /** Returns the missing permissions of an account with these rules. */
  async function missing(...answers: readonly object[]): Promise<readonly string[]> {
    using fake = fakeKubectl({ access: { output: answers.map((each) => JSON.stringify(each)).join("\n") } });
    const found = await missingAccess(fake.kubectl, accesses(rules));
    return found.map(({ verb, resource, name }) => [verb, resource, name].join(" ").trim());
  }

  const all = ["get pods", "get pods/log", "create jobs a", "create jobs b"];
  const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
  const jobs = { apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"] };
  const granted: readonly [what: string, resourceRules: readonly object[], lacking: readonly string[]][] = [
    ["without a rule", [], all],
    ["with a Role of the same rules", roleRules(rules), []],
    ["with a wildcard in each part", [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }], []],
    ["for a subresource that is not named", [pods, jobs], ["get pods/log"]],
    ["with a wildcard for a subresource", [pods, jobs, { ...pods, resources: ["*/log"] }], []],
    ["for another API group", [{ ...jobs, apiGroups: ["apps"] }], all],
    ["for other verbs", [{ ...pods, verbs: ["list"] }], all],
    ["for objects of other names", [{ ...jobs, resourceNames: ["a", "c"] }], [...all.slice(0, 2), "create jobs b"]],
    ["for all objects by a name", [{ ...pods, resourceNames: ["mine"] }], all],
  ];
  for (const [what, resourceRules, lacking] of granted) {
    it(`follow from the rules of the account: ${what}`, async () => {
      assert.deepEqual(await missing({ resourceRules, incomplete: false }), lacking);
    });
  }

  it("are reviewed one by one where the server can't list all rules", async () => {
    using fake = kubectlProgram(`#!/bin/sh
input="$(cat)"
case "$input" in
  *RulesReview*) echo '{"resourceRules": [${JSON.stringify(pods)}], "incomplete": true}' ;;
  *) echo "$input" | grep -o '"verb":"[a-z]*"' | sed 's/.*create.*/{"allowed": true}/; s/.*get.*/{"allowed": false}/' ;;
esac
`);
    const missing = await missingAccess(fake.kubectl, accesses(rules));
    assert.deepEqual(
      missing.map(({ resource }) => resource),
      ["pods/log"],
    );
  });

  it("are unknown if the server returns fewer results than reviews", async () => {
    await assert.rejects(
      missing({ resourceRules: [] }, { allowed: true }),
      /requested 1 reviews, but received 2 results/,
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
