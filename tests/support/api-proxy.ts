import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kubectl } from "../../src/cluster/kubectl.ts";

/** The part of a kubeconfig that is read here. */
interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
}

/** A connection to the API server that can be cut for the users of its kubeconfig. */
export interface ApiProxy {
  readonly kubeconfig: string;
  /** Cuts every connection and refuses others, as a server that is down does. */
  cut(): Promise<void>;
  /** Accepts connections again. */
  restore(): Promise<void>;
  end(): Promise<void>;
}

/** Starts a proxy on loopback to the API server of a kubectl's context. */
export async function startApiProxy(kubectl: Kubectl): Promise<ApiProxy> {
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
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
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
  writeFileSync(kubeconfig, JSON.stringify({ ...config, clusters: [{ ...names, cluster: proxied }] }), { mode: 0o600 });
  return {
    kubeconfig,
    cut,
    restore: async () => void (await listen(own)),
    async end() {
      if (server.listening) await cut();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
