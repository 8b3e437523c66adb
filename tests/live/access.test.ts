import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../../local/cluster/progress.ts";
import type { Run, Verb } from "../../local/pulumi.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { unity } from "../cli/unity.ts";
import { testNamespace } from "../support/leftovers.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("access");
const { namespace, kubectl } = stack;

/** Accounts, and the Role of each. */
const roles = { operator: "unity-operator", previewer: "unity-previewer", stranger: undefined } as const;
type Account = keyof typeof roles;

/** The part of a kubeconfig that is read here. */
interface Kubeconfig {
  readonly contexts: readonly { readonly context: { readonly user: string } }[];
}

describe("an operator with the required permissions only", () => {
  let folder: string;
  /** The accounts' own namespace, so that the stack's need not exist before them. */
  const home = new Kubectl({ context: process.env.UNITY_CONTEXT ?? "", namespace: testNamespace("accounts") });

  /** Runs the engine as an account, with a kubeconfig of its own. */
  async function run(account: Account, verb: Verb, ...flags: string[]): Promise<Run> {
    return (await stack.engine({}, undefined, join(folder, account))).run(verb, flags);
  }

  /** Runs the engine as the administrator of the cluster. */
  async function runAsAdministrator(values: Record<string, string>, verb: Verb, ...flags: string[]): Promise<Run> {
    return (await stack.engine(values)).run(verb, flags);
  }

  const asOperator = `--as=system:serviceaccount:${testNamespace("accounts")}:operator`;
  const enforce = "pod-security.kubernetes.io/enforce";
  const namespaceOf = () => kubectl.get<{ metadata: { uid: string; labels: object } }>("namespace", namespace);

  async function tokenOf(account: Account): Promise<string> {
    await home.run(["create", "serviceaccount", account]);
    return (await home.run(["create", "token", account])).trim();
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "unity-access-"));
    await home.run(["create", "namespace", home.namespace]);
    const view = ["config", "view", "--raw", "--minify", "--output=json"];
    const config = JSON.parse(await kubectl.run(view)) as Kubeconfig;
    for (const account of Object.keys(roles) as Account[]) {
      const users = [{ name: config.contexts[0]?.context.user, user: { token: await tokenOf(account) } }];
      writeFileSync(join(folder, account), JSON.stringify({ ...config, users }), { mode: 0o600 });
    }
  });
  after(async () => {
    await home.run(["delete", "namespace", home.namespace, "--ignore-not-found", "--wait=false"]);
    await stack.remove(); // before the folder: the Pulumi CLI's state names the kubeconfig of the last run
    rmSync(folder, { recursive: true });
  });

  it("fails with all missing permissions, before anything is created", async () => {
    const { exitCode, output } = await run("stranger", "up");
    assert.notEqual(exitCode, 0);
    assert.match(
      output,
      /insufficient permissions in namespace unity-test-access \(context \S+\); no changes were made/,
    );
    assert.match(output, /get, list, watch, create, patch, delete jobs\.batch: running the migration/);
    assert.match(output, /get namespaces unity-test-access: reading the labels of the namespace/);
    assert.match(output, /kubectl --context \S+ apply --server-side --force-conflicts --filename=k8s\/access\n/);
    assert.equal(await kubectl.run(["get", "namespace", namespace, "--ignore-not-found"]), "");
  });

  it("is stopped at a missing namespace, with the command that creates it", async () => {
    const { exitCode, output } = await runAsAdministrator({ createNamespace: "false" }, "up");
    assert.notEqual(exitCode, 0);
    assert.match(output, /namespace unity-test-access \(context \S+\) doesn't exist; no changes were made/);
    assert.equal(await kubectl.run(["get", "namespace", namespace, "--ignore-not-found"]), "");
  });

  it("deploys with the rendered Role, then expects no changes", async () => {
    const rendered = await unity("render", "--config-file", stack.configFile, "--output", folder);
    assert.equal(rendered.code, 0, rendered.stderr);
    await kubectl.run(["apply", "--server-side", `--filename=${join(folder, "k8s", "access")}`]);
    for (const [account, role] of Object.entries(roles)) {
      const subject = `--serviceaccount=${home.namespace}:${account}`;
      if (role) await kubectl.run(["create", "rolebinding", account, `--role=${role}`, subject]);
    }
    const { exitCode, output } = await run("operator", "up");
    assert.equal(exitCode, 0, output);
    const again = await run("operator", "preview", "--expect-no-changes");
    assert.equal(again.exitCode, 0, again.output);
  });

  it("can't change the namespace, or create pods, tokens, and Roles", async () => {
    const forbidden: readonly (readonly string[])[] = [
      ["label", "namespace", namespace, `${enforce}-`],
      ["label", "namespace", namespace, `${enforce}=privileged`, "--overwrite"],
      ["annotate", "namespace", namespace, "a=b"],
      ["delete", "namespace", namespace],
      ["create", "token", "unity-backend"],
      ["create", "rolebinding", "more", "--clusterrole=admin", "--serviceaccount=default:default"],
      ["run", "mine", "--image=none"],
    ];
    for (const args of forbidden) await assert.rejects(kubectl.run([...args, asOperator]), /forbidden/, args.join(" "));
    assert.equal(Reflect.get((await namespaceOf()).metadata.labels, enforce), "restricted");
  });

  it("can't start a pod with the node's processes by a Job", async () => {
    const containers = [{ name: "mine", image: "none" }];
    const template = { spec: { restartPolicy: "Never", hostPID: true, containers } };
    const job = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "mine" }, spec: { template } };
    await kubectl.run(["create", "--filename=-", asOperator], JSON.stringify(job));
    const warnings = ["events", "--field-selector=involvedObject.name=mine,type=Warning"];
    const isRejected = async () => {
      const { items } = await kubectl.get<{ items: { message: string }[] }>(...warnings);
      return items.some(({ message }) => /violates PodSecurity "restricted:latest"/.test(message));
    };
    await waitFor("the rejected pod", isRejected);
    await kubectl.run(["delete", "job", "mine"]);
  });

  for (const verb of ["preview", "up"] as const) {
    it(`is stopped in ${verb} at a namespace that doesn't enforce the standard`, async () => {
      await kubectl.run(["label", "namespace", namespace, `${enforce}=baseline`, "--overwrite"]);
      const { exitCode, output } = await run("operator", verb).finally(() =>
        kubectl.run(["label", "namespace", namespace, `${enforce}=restricted`, "--overwrite"]),
      );
      assert.notEqual(exitCode, 0);
      assert.match(output, /has the label \S+enforce=baseline instead of \S+enforce=restricted, so it/);
    });
  }

  it("can't update a stack that creates its namespace", async () => {
    const engine = await stack.engine({ createNamespace: "true" }, undefined, join(folder, "operator"));
    const { exitCode, output } = await engine.run("up");
    assert.notEqual(exitCode, 0);
    assert.match(output, /create, patch namespaces: creating the namespace with its labels/);
    assert.match(output, /pulumi config set createNamespace false/);
  });

  it("updates a stack that declared its namespace before, and keeps the namespace", async () => {
    const declared = await runAsAdministrator({ createNamespace: "true" }, "up");
    assert.equal(declared.exitCode, 0, declared.output);
    const { metadata } = await namespaceOf();
    await stack.engine({ createNamespace: "false" });
    const { exitCode, output } = await run("operator", "up");
    assert.equal(exitCode, 0, output);
    assert.match(output, /- +kubernetes:core\/v1:Namespace +namespace +deleted/);
    const after = (await namespaceOf()).metadata;
    assert.deepEqual([after.uid, after.labels], [metadata.uid, metadata.labels]);
    const again = await run("operator", "preview", "--expect-no-changes");
    assert.equal(again.exitCode, 0, again.output);
  });

  it("removes undeclared objects with that Role", async () => {
    const disruptions = () => kubectl.run(["get", "poddisruptionbudgets", "--output=name"]);
    for (const [replicas, declared] of [
      ["2", /unity-backend/],
      ["1", /^$/],
    ] as const) {
      const engine = await stack.engine({ replicas }, undefined, join(folder, "operator"));
      const { exitCode, output } = await engine.run("up");
      assert.equal(exitCode, 0, output);
      assert.match((await disruptions()).trim(), declared);
    }
  });

  it("lets a read-only account preview", async () => {
    const preview = await run("previewer", "preview", "--expect-no-changes");
    assert.equal(preview.exitCode, 0, preview.output);
    assert.match(preview.output, /Database is up to date/);
    const { exitCode, output } = await run("previewer", "up");
    assert.notEqual(exitCode, 0);
    assert.match(output, /insufficient permissions in namespace unity-test-access/);
  });

  it("names one permission that was revoked", async () => {
    const { rules } = await kubectl.get<{ rules: { resources: string[]; verbs: string[] }[] }>("role", roles.operator);
    const without = rules.map((rule) =>
      rule.resources.includes("replicasets") ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== "watch") } : rule,
    );
    const replace = (value: object) =>
      kubectl.run(["patch", "role", roles.operator, "--type=merge", `--patch=${JSON.stringify({ rules: value })}`]);
    await replace(without);
    const { exitCode, output } = await run("operator", "up").finally(() => replace(rules));
    assert.notEqual(exitCode, 0);
    assert.match(output, /Missing:\n\s+watch replicasets\.apps: /);
  });
});
