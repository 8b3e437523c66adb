import { existsSync, writeFileSync } from "node:fs";
import { network } from "./config.ts";
import { findProgram } from "./prerequisites.ts";
import { ask, run } from "./run.ts";

const { bridge } = network;

/** Our own nftables table. */
const ownTable = "unity-local";

/** Tables that kube-proxy makes in its nftables mode. */
const proxyTable = "kube-proxy";

/** Accepts what goes between pods, where another program (such as Docker) drops whatever it doesn't know. */
const acceptRule = ["-i", bridge, "-o", bridge, "-m", "comment", "--comment", ownTable, "-j", "ACCEPT"];

/** An interface or route as `ip -json` prints it. */
interface IpEntry {
  readonly ifname?: string;
  readonly dev?: string;
  readonly dst?: string;
}

async function ipJson(args: readonly string[]): Promise<IpEntry[]> {
  const text = await ask("ip", ["-json", ...args]);
  return text.trim() === "" ? [] : (JSON.parse(text) as IpEntry[]);
}

/**
 * Makes the pods' bridge. Pods reach one another and Services; no packet of theirs leaves the machine, and none comes
 * in from outside. Forwarding is switched on for the bridge alone, so the machine does not become a router.
 * @throws If another interface has the pods' subnet.
 */
export async function ensureNetwork(): Promise<void> {
  const taken = (await ipJson(["route", "show", "root", network.podSubnet])).find((route) => route.dev !== bridge);
  if (taken !== undefined)
    throw new Error(
      `The pods' subnet ${network.podSubnet} is in use by interface ${taken.dev} (route to ${taken.dst}): take that interface down, or name a context of your own kubeconfig instead`,
    );
  if (!existsSync(`/sys/class/net/${bridge}`)) {
    const commands = [
      `link add ${bridge} type bridge`,
      `addr add ${network.nodeAddress}/24 dev ${bridge}`,
      `link set ${bridge} up`,
    ];
    await run("ip", ["-batch", "-"], { input: `${commands.join("\n")}\n` });
  }
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/forwarding`, "1");
  await run("nft", ["-f", "-"], { input: isolationRules() });
  if (await dropsForwarded())
    await run("iptables", ["-C", "FORWARD", ...acceptRule]).catch(() =>
      run("iptables", ["-I", "FORWARD", ...acceptRule]),
    );
}

/** @returns The rules, for `nft -f`, that keep the pods' traffic on this machine. Applying them again changes nothing. */
export function isolationRules(): string {
  return `add table inet ${ownTable}
delete table inet ${ownTable}
table inet ${ownTable} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${bridge}" oifname != "${bridge}" reject
    iifname != "${bridge}" oifname "${bridge}" reject
  }
}
`;
}

async function dropsForwarded(): Promise<boolean> {
  return (
    findProgram("iptables") !== undefined && (await ask("iptables", ["-S", "FORWARD"])).includes("-P FORWARD DROP")
  );
}

/** @returns Our interfaces: the bridge and the pods' ends on it. */
export async function leftInterfaces(): Promise<string[]> {
  const ports = await ipJson(["link", "show", "master", bridge]);
  const names = [...ports, ...(await ipJson(["link", "show", "dev", bridge]))].map((entry) => entry.ifname ?? "");
  return names.filter((name) => name !== "");
}

/** @returns Our rules: nftables tables as `family name`, and the rule of {@link acceptRule} if it is there. */
export async function leftRules(): Promise<string[]> {
  const tables = (await ask("nft", ["list", "tables"])).split("\n").map((line) => line.replace(/^table /, ""));
  const ours = tables.filter((table) => [ownTable, proxyTable].includes(table.split(" ")[1] ?? ""));
  const iptables = findProgram("iptables") === undefined ? "" : await ask("iptables-save", []);
  return [...ours, ...iptables.split("\n").filter((line) => line.includes(bridge))];
}

/** Deletes the interfaces and rules of {@link leftInterfaces} and {@link leftRules}. */
export async function removeNetwork(): Promise<void> {
  for (const name of await leftInterfaces()) await ask("ip", ["link", "delete", name]); // one end takes the other along
  for (const rule of await leftRules()) {
    if (rule.startsWith("-A")) await run("iptables", ["-D", "FORWARD", ...acceptRule]);
    else await run("nft", ["delete", "table", ...rule.split(" ")]);
  }
}
