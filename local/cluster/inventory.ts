import { cacheRoot } from "../../src/paths.ts";
import { leftGroups } from "./cgroups.ts";
import { ownProcesses } from "./foreign.ts";
import { mountsBelow } from "./mounts.ts";
import { leftInterfaces, leftRules } from "./network.ts";
import { commandOf } from "./processes.ts";

/**
 * @returns Everything of the cluster that is on the machine now, its folders aside, each as `kind name`: processes,
 * mounts (network namespaces are mounts below the cache folder), interfaces, firewall rules, control groups. After a
 * stop, nothing.
 */
export async function inventory(): Promise<string[]> {
  return [
    ...ownProcesses().map((pid) => `process ${pid} (${commandOf(pid)})`),
    ...mountsBelow(cacheRoot).map((point) => `mount ${point}`),
    ...(await leftInterfaces()).map((name) => `interface ${name}`),
    ...(await leftRules()).map((rule) => `rule ${rule}`),
    ...leftGroups().map((group) => `control group ${group}`),
  ];
}
