import { existsSync, writeFileSync } from "node:fs";
import { network } from "./config.ts";
import { otherKubeProxies } from "./conflicts.ts";
import { findProgram } from "./prerequisites.ts";
import { outputOf, run, succeeds } from "./run.ts";

const { bridge } = network;

/** Name of the cluster's nftables table, and comment of its iptables rules. */
const clusterTable = "unity-local";

/** Name of kube-proxy's nftables tables. */
const proxyTable = "kube-proxy";

/**
 * Packets to accept in chains that drop by default, as those of Docker and ufw do: between pods, and from pods to this
 * machine, such as DNS queries.
 */
const acceptRules = { FORWARD: ["-i", bridge, "-o", bridge], INPUT: ["-i", bridge] } as const;

/** The end of each rule. The comment identifies it as the cluster's. */
const acceptTail = ["-m", "comment", "--comment", clusterTable, "-j", "ACCEPT"];

/** An interface or route as `ip -json` prints it. */
interface IpEntry {
  readonly ifname?: string;
  readonly dev?: string;
  readonly dst?: string;
}

/** Returns the output of a query, or "" if its program is not installed, so that nothing of it can be left. */
async function outputIfInstalled(program: string, args: readonly string[]): Promise<string> {
  return findProgram(program) === undefined ? "" : outputOf(program, args);
}

async function ipJson(args: readonly string[]): Promise<IpEntry[]> {
  const text = await outputIfInstalled("ip", ["-json", ...args]);
  return text.trim() === "" ? [] : (JSON.parse(text) as IpEntry[]);
}

/**
 * Creates the pods' bridge. Pods reach one another and Services. Their packets don't leave this machine, and none enter
 * from outside. Forwarding is enabled on the bridge only, so that this machine does not become a router.
 *
 * @throws If another interface uses the pods' subnet.
 */
export async function ensureNetwork(): Promise<void> {
  const routes = await ipJson(["route", "show", "root", network.podSubnet]);
  const other = routes.find((route) => route.dev !== bridge);
  if (other !== undefined)
    throw new Error(
      `pod subnet ${network.podSubnet} is in use by interface ${other.dev} (route to ${other.dst})\n` +
        "Set that interface down, or set CONTEXT to a context of your kubeconfig",
    );
  if (!existsSync(`/sys/class/net/${bridge}`)) {
    const commands = [
      // A bridge without an address of its own takes the lowest of its interfaces. When pods come and go, it would change, and
      // other pods would send DNS queries to the old one, in vain, until they look it up again: for up to half a minute.
      `link add ${bridge} address ${network.bridgeAddress} type bridge`,
      `addr add ${network.nodeAddress}/24 dev ${bridge}`,
      `link set ${bridge} up`,
    ];
    await run("ip", ["-batch", "-"], { input: `${commands.join("\n")}\n` });
  }
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/forwarding`, "1");
  await run("nft", ["-f", "-"], { input: isolationRules() });
  for (const [chain, matches] of Object.entries(acceptRules)) {
    const rules = await outputIfInstalled("iptables", ["-S", chain]);
    if (!dropsByDefault(rules, chain)) continue;
    const rule = [chain, ...matches, ...acceptTail];
    if (!(await succeeds("iptables", ["-C", ...rule]))) await run("iptables", ["-I", ...rule]);
  }
}

/** Returns the rules, for `nft -f`, that keep the pods' traffic on this machine. Applying them is idempotent. */
export function isolationRules(): string {
  return `add table inet ${clusterTable}
delete table inet ${clusterTable}
table inet ${clusterTable} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${bridge}" oifname != "${bridge}" reject
    iifname != "${bridge}" oifname "${bridge}" reject
  }
}
`;
}

/** Whether a chain, as `iptables -S` prints it, drops packets by default. */
export function dropsByDefault(rules: string, chain: string): boolean {
  return rules.split("\n").includes(`-P ${chain} DROP`);
}

/** Returns the cluster's rules, `-A chain ...`, among those that `iptables-save` prints. */
export function clusterAcceptRules(saved: string): string[] {
  return saved.split("\n").filter((line) => line.startsWith("-A ") && line.includes(` --comment ${clusterTable} `));
}

/** Returns the cluster's interfaces that exist: the bridge and the pods' interfaces on it. */
export async function remainingInterfaces(): Promise<string[]> {
  const podInterfaces = await ipJson(["link", "show", "master", bridge]);
  const bridges = await ipJson(["link", "show", "dev", bridge]);
  return [...podInterfaces, ...bridges].map(({ ifname = "" }) => ifname).filter((name) => name !== "");
}

/**
 * Returns the cluster's rules that exist: nftables tables as `family name`, and iptables rules as `-A chain ...`. While
 * another cluster's kube-proxy runs, kube-proxy's tables belong to it.
 */
export async function remainingRules(): Promise<string[]> {
  const names = [clusterTable];
  if (otherKubeProxies().length === 0) names.push(proxyTable);
  const lines = (await outputIfInstalled("nft", ["list", "tables"])).split("\n");
  const tables = lines.map((line) => line.replace(/^table /, ""));
  const clusterTables = tables.filter((table) => names.includes(table.split(" ")[1] ?? ""));
  return [...clusterTables, ...clusterAcceptRules(await outputIfInstalled("iptables-save", []))];
}

/** Deletes the cluster's interfaces and rules. */
export async function removeNetwork(): Promise<void> {
  // Deleting one end of a pair deletes the other, so an interface may already be gone.
  for (const name of await remainingInterfaces()) await outputOf("ip", ["link", "delete", name]);
  for (const rule of await remainingRules()) {
    if (rule.startsWith("-A ")) await run("iptables", rule.replace(/^-A /, "-D ").split(" "));
    else await run("nft", ["delete", "table", ...rule.split(" ")]);
  }
}
