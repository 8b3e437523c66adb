import { leftGroups, ourProcesses } from "./cgroups.ts";
import { stateFolder } from "./config.ts";
import { mountsBelow } from "./mounts.ts";
import { leftInterfaces, leftRules } from "./network.ts";
import { commandOf, processesByCommand } from "./processes.ts";

/**
 * @returns Everything of the cluster that is on the machine now, its folders aside, each as `kind name`: processes,
 * mounts (network namespaces are mounts below the state folder), interfaces, firewall rules, control groups. After a
 * stop, nothing.
 */
export async function inventory(): Promise<string[]> {
  const processes = [...new Set([...ourProcesses(), ...processesByCommand()])];
  return [
    ...processes.map((pid) => `process ${pid} (${commandOf(pid)})`),
    ...mountsBelow(stateFolder).map((point) => `mount ${point}`),
    ...(await leftInterfaces()).map((name) => `interface ${name}`),
    ...(await leftRules()).map((rule) => `rule ${rule}`),
    ...leftGroups().map((group) => `control group ${group}`),
  ];
}
