import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run, Verb } from "../../local/pulumi.ts";
import { unityIn } from "../cli/unity.ts";
import { type ApiProxy, startApiProxy } from "../support/api-proxy.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("slow-cluster");
const slowness = { delay: 2000, pluginSeconds: 4 };

/** The part of a kubeconfig that is changed here. */
interface Kubeconfig {
  readonly clusters: readonly [{ readonly name: string; readonly cluster: object }];
  readonly users: readonly [{ readonly name: string; readonly user: object }];
}

describe("a cluster that answers after 2s", () => {
  let proxy: ApiProxy | undefined;
  const run = async (verb: Verb, kubeconfig: string | undefined, ...flags: string[]): Promise<Run> =>
    (await stack.engine({}, undefined, kubeconfig)).run(verb, flags);

  before(async () => {
    proxy = await startApiProxy(stack.kubectl, slowness);
  });
  after(async () => {
    await stack.remove();
    await proxy?.end();
  });

  it("is deployed to, with progress", async () => {
    const { exitCode, output } = await run("up", proxy?.kubeconfig);
    assert.equal(exitCode, 0, output);
    assert.match(output, /Waiting for the cluster \(context \S+\): [5-9]s/);
  });

  it("is previewed with a credential plugin that takes 4s, too", async () => {
    const { exitCode, output } = await run("preview", proxy?.pluginKubeconfig, "--expect-no-changes");
    assert.equal(exitCode, 0, output);
    assert.match(output, /Database is up to date \(head add_plugin_execution\)/);
  });

  it("is queried by every command of `pulumi-alembic` with that plugin", async () => {
    const commands = [["status"], ["plan"], ["verify"], ["history"], ["apply"], ["logs"], ["logs", "--job"]];
    const queried = commands.map(async (command) => {
      const environment = { KUBECONFIG: proxy?.pluginKubeconfig };
      const { code, stdout, stderr } = await unityIn(environment, ...command, "--config-file", stack.configFile);
      assert.equal(code, 0, `${command.join(" ")}: ${stdout}\n${stderr}`);
      assert.match(stderr, /Waiting for the cluster \(context \S+\): \d+s/);
    });
    await Promise.all(queried);
  });
});

describe("a cluster that can't be reached", () => {
  let folder: string;
  const plain = createServer((_request, response) => response.end());
  let config: Kubeconfig;
  let port: number;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "unity-unreachable-"));
    config = JSON.parse(await stack.kubectl.run(["config", "view", "--raw", "--minify", "--output=json"]));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    port = (plain.address() as AddressInfo).port;
    await stack.engine(); // creates the stack's file
  });
  after(() => {
    plain.close();
    rmSync(folder, { recursive: true });
    stack.forget();
  });

  const cluster = (server: () => string, more: object = {}) => ({ cluster: () => ({ server: server(), ...more }) });
  const causes: readonly [what: string, change: { cluster?: () => object; user?: object }, cause: RegExp][] = [
    ["refuses connections", cluster(() => "https://127.0.0.1:1"), /refused/],
    ["has no address", cluster(() => "https://api.invalid"), /no such host|lookup api\.invalid/],
    ["has no TLS", cluster(() => `https://127.0.0.1:${port}`), /HTTP response to HTTPS client/],
    ["has another CA", { cluster: () => ({ "certificate-authority-data": undefined }) }, /certificate/],
    ["rejects the account", { user: { token: "wrong" } }, /Unauthorized|must be logged in|provided credentials/i],
    ["forbids everything", { user: { as: "stranger" } }, /forbidden/],
  ];
  for (const [what, change, cause] of causes) {
    it(`and ${what} is reported at once, with the cause`, async () => {
      const [named] = config.clusters;
      const [account] = config.users;
      const clusters = [{ ...named, cluster: { ...named.cluster, ...change.cluster?.() } }];
      const user =
        change.user === undefined
          ? account.user
          : "as" in change.user
            ? { ...account.user, ...change.user }
            : change.user;
      const kubeconfig = join(folder, "kubeconfig");
      writeFileSync(kubeconfig, JSON.stringify({ ...config, clusters, users: [{ ...account, user }] }), {
        mode: 0o600,
      });
      const started = performance.now();
      const { code, stdout } = await unityIn({ KUBECONFIG: kubeconfig }, "status", "--config-file", stack.configFile);
      assert.ok(performance.now() - started < 20_000, "long before the time limit of 60s");
      assert.equal(code, 2, stdout);
      assert.match(stdout, /Can't connect to the cluster \(context \S+\): /);
      assert.match(stdout, cause);
    });
  }
});
