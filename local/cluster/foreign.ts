import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { ourProcesses } from "./cgroups.ts";
import { processesByCommand } from "./processes.ts";

/** @returns Ids of our own processes, whatever became of their records. */
export function ownProcesses(): number[] {
  return [...new Set([...ourProcesses(), ...processesByCommand()])];
}

/**
 * Kube-proxies of other clusters: the rules they share the name of with ours are theirs. One in another network
 * namespace, such as a container's, has its own rules.
 * @param own Processes that don't count. @defaultValue Our own.
 * @param proc Where proc(5) is mounted. @defaultValue "/proc"
 * @returns Their process ids.
 */
export function foreignProxies(own: readonly number[] = ownProcesses(), proc = "/proc"): number[] {
  const networkOf = (id: string) => readlinkSync(join(proc, id, "ns", "net"));
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name) && !own.includes(Number(name)))
    .filter((id) => {
      try {
        const program = basename(readFileSync(join(proc, id, "cmdline"), "utf8").split("\0")[0] ?? "");
        return program === "kube-proxy" && networkOf(id) === networkOf("self");
      } catch {
        return false; // ended, or not ours to look into
      }
    })
    .map(Number);
}

/** @throws If this machine is a node of another cluster. */
export function requireNoForeignProxy(pids = foreignProxies()): void {
  if (pids.length > 0)
    throw new Error(
      `The local cluster can't start: this machine is a node of another Kubernetes (kube-proxy, process ${pids.join(", ")}), and both would write the same nftables tables. Name a context of your own kubeconfig instead`,
    );
}
