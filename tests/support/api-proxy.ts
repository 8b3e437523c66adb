import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kubectl } from "../../src/cluster/kubectl.ts";

/** What this reads of a kubeconfig. */
interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
}

/** A way to the API server that can be cut, for whoever uses its kubeconfig; nobody else notices. */
export interface ApiProxy {
  readonly kubeconfig: string;
  /** Cuts every connection, and refuses others until {@link opens}, as a server that is down does. */
  cuts(): Promise<void>;
  opens(): Promise<void>;
  end(): Promise<void>;
}

/** Opens a way to the API server of a kubectl's context, on this machine alone. */
export async function apiProxy(kubectl: Kubectl): Promise<ApiProxy> {
  const view = ["config", "view", "--raw", "--minify", "--output=json"];
  const config = JSON.parse(await kubectl.run(view)) as Kubeconfig;
  const [{ cluster, ...names }] = config.clusters;
  const { hostname, port } = new URL(cluster.server);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port || 443), hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
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
    for (const socket of open) socket.destroy();
    await closed;
  };
  const own = await listen(0);
  const folder = mkdtempSync(join(tmpdir(), "unity-proxy-"));
  const kubeconfig = join(folder, "kubeconfig");
  const way = { ...cluster, server: `https://127.0.0.1:${own}`, "tls-server-name": hostname };
  writeFileSync(kubeconfig, JSON.stringify({ ...config, clusters: [{ ...names, cluster: way }] }), { mode: 0o600 });
  return {
    kubeconfig,
    cuts: cut,
    opens: async () => void (await listen(own)),
    async end() {
      if (server.listening) await cut();
      rmSync(folder, { recursive: true });
    },
  };
}
