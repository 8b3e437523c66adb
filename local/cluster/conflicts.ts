import { readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import type { Component } from "./components.ts";
import { clusterProcesses, findProcesses } from "./processes.ts";
import { outputOf } from "./run.ts";

const useOwnCluster = "set CONTEXT to a context of your kubeconfig";

/**
 * Returns the ids of other clusters' kube-proxies in this network namespace. Their nftables tables have the same names
 * as those of this cluster.
 *
 * @param excluded - Processes of this cluster.
 * @param proc - Mount point of proc(5).
 */
export function otherKubeProxies(excluded: readonly number[] = clusterProcesses(), proc = "/proc"): number[] {
  const networkOf = (process: string) => readlinkSync(join(proc, process, "ns", "net"));
  return findProcesses((pid, [path = ""]) => {
    if (basename(path) !== "kube-proxy" || excluded.includes(pid)) return false;
    return networkOf(String(pid)) === networkOf("self");
  }, proc);
}

/** @throws If this machine is a node of another cluster. */
export function requireNoOtherKubeProxy(pids: readonly number[]): void {
  if (pids.length === 0) return;
  throw new Error(
    `can't start the local cluster: this machine is a node of another Kubernetes cluster (kube-proxy, process ${pids.join(", ")}), and both would write the same nftables tables\nTo use another cluster, ${useOwnCluster}`,
  );
}

/**
 * Verifies that the ports of components are free.
 *
 * @param allowed - Processes that may listen on them.
 * @throws If another program listens on one of them.
 */
export async function requireFreePorts(
  components: readonly Component[],
  allowed: readonly number[] = [],
): Promise<void> {
  const conflicts: string[] = [];
  for (const { name, listens } of components) {
    for (const [host, port] of listens) {
      if (await canListen(host, port)) continue;
      const sockets = await outputOf("ss", ["-ltnpH", `sport = :${port}`]);
      const [, program, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(sockets) ?? [];
      if (allowed.includes(Number(pid))) continue;
      const holder = program === undefined ? "another program" : `${program} (process ${pid})`;
      conflicts.push(`${host}:${port} (${name}) is in use by ${holder}`);
    }
  }
  if (conflicts.length === 0) return;
  throw new Error(`can't start the local cluster: ${conflicts.join("; ")}\nStop that program, or ${useOwnCluster}`);
}

/** Whether a port is free. A port of an address that no interface has yet, such as the bridge's, is. */
function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else if (error.code === "EADDRNOTAVAIL") resolve(true);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
