import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transform } from "node:stream";
import type { Kubectl } from "../../src/cluster/kubectl.ts";

/** The part of a kubeconfig that is read here. */
interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
  readonly users: readonly [{ readonly name: string; readonly user: Readonly<Record<string, string>> }];
}

/** A connection to the API server that can be cut for the users of its kubeconfig. */
export interface ApiProxy {
  readonly kubeconfig: string;
  /** The same with a credential plugin that takes its time, as those of cloud providers do. */
  readonly pluginKubeconfig: string;
  /** Cuts every connection and refuses others, as a server that is down does. */
  cut(): Promise<void>;
  /** Accepts connections again. */
  restore(): Promise<void>;
  end(): Promise<void>;
}

/** How slow a proxied cluster is. */
interface Slowness {
  /** Milliseconds by which each answer of the API server is delayed. */
  readonly delay: number;
  /** Seconds that the credential plugin takes. */
  readonly pluginSeconds: number;
}

/** Returns a stream that passes data on later, in order. */
function delayed(milliseconds: number): Transform {
  return new Transform({
    transform(chunk, _encoding, done) {
      setTimeout(() => this.push(chunk), milliseconds);
      done();
    },
    flush: (done) => void setTimeout(done, milliseconds),
  });
}

/**
 * Returns a user of a kubeconfig whose credentials come from a plugin
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
 */
function pluginUser({ name, user }: Kubeconfig["users"][0], folder: string, seconds: number): object {
  const decoded = (key: string) => Buffer.from(user[key] ?? "", "base64").toString("utf8");
  const apiVersion = "client.authentication.k8s.io/v1";
  const status = {
    token: user.token,
    clientCertificateData: decoded("client-certificate-data"),
    clientKeyData: decoded("client-key-data"),
  };
  const credential = join(folder, "credential");
  writeFileSync(credential, JSON.stringify({ apiVersion, kind: "ExecCredential", status }), { mode: 0o600 });
  const args = ["-c", `sleep ${seconds}; cat ${credential}`];
  return { name, user: { exec: { apiVersion, command: "sh", args, interactiveMode: "Never" } } };
}

/** Starts a proxy on loopback to the API server of a kubectl's context. */
export async function startApiProxy(
  kubectl: Kubectl,
  { delay, pluginSeconds }: Slowness = { delay: 0, pluginSeconds: 0 },
): Promise<ApiProxy> {
  const view = ["config", "view", "--raw", "--minify", "--output=json"];
  const config = JSON.parse(await kubectl.run(view)) as Kubeconfig;
  const [{ cluster, ...names }] = config.clusters;
  const { hostname, port } = new URL(cluster.server);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port || 443), hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => sockets.delete(one));
    }
    // Not the other way: the client has yet to get what the API server sent before it closed.
    client.on("close", () => upstream.destroy());
    client.pipe(upstream);
    upstream.pipe(delayed(delay)).pipe(client);
  });
  const listen = async (at: number) => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const cut = async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const own = await listen(0);
  const folder = mkdtempSync(join(tmpdir(), "unity-proxy-"));
  const kubeconfig = join(folder, "kubeconfig");
  const proxied = { ...cluster, server: `https://127.0.0.1:${own}`, "tls-server-name": hostname };
  const clusters = [{ ...names, cluster: proxied }];
  const write = (path: string, users: readonly object[]) =>
    writeFileSync(path, JSON.stringify({ ...config, clusters, users }), { mode: 0o600 });
  write(kubeconfig, config.users);
  const pluginKubeconfig = join(folder, "plugin-kubeconfig");
  write(pluginKubeconfig, [pluginUser(config.users[0], folder, pluginSeconds)]);
  return {
    kubeconfig,
    pluginKubeconfig,
    cut,
    restore: async () => void (await listen(own)),
    async end() {
      if (server.listening) await cut();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
