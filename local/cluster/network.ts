import { existsSync, writeFileSync } from "node:fs";
import { network } from "./config.ts";
import { foreignProxies } from "./foreign.ts";
import { findProgram } from "./prerequisites.ts";
import { ask, run } from "./run.ts";

const { bridge } = network;

/** Our own nftables table. */
const ownTable = "unity-local";

/** Tables that kube-proxy makes in its nftables mode. */
const proxyTable = "kube-proxy";

/**
 * What is accepted, by chain, where another program (such as Docker or ufw) drops whatever it doesn't know: what goes
 * between pods, and what goes from them to this machine, such as a question to DNS.
 */
const acceptRules = { FORWARD: ["-i", bridge, "-o", bridge], INPUT: ["-i", bridge] } as const;

/** What ends our rules; the comment tells them from others'. */
const acceptTail = ["-m", "comment", "--comment", ownTable, "-j", "ACCEPT"];

/** An interface or route as `ip -json` prints it. */
interface IpEntry {
  readonly ifname?: string;
  readonly dev?: string;
  readonly dst?: string;
}

/** @returns What a program answers; of a program that isn't installed nothing can be left, so "". */
async function askIfInstalled(program: string, args: readonly string[]): Promise<string> {
  return findProgram(program) === undefined ? "" : ask(program, args);
}

async function ipJson(args: readonly string[]): Promise<IpEntry[]> {
  const text = await askIfInstalled("ip", ["-json", ...args]);
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
  for (const [chain, matches] of Object.entries(acceptRules)) {
    if (!drops(await askIfInstalled("iptables", ["-S", chain]), chain)) continue;
    const rule = [chain, ...matches, ...acceptTail];
    await run("iptables", ["-C", ...rule]).catch(() => run("iptables", ["-I", ...rule]));
  }
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

/** @returns Whether a chain, as `iptables -S` prints it, drops what none of its rules knows. */
export function drops(rules: string, chain: string): boolean {
  return rules.split("\n").includes(`-P ${chain} DROP`);
}

/** @returns Our own among the rules that `iptables-save` prints: `-A chain ...`. */
export function ownAcceptRules(saved: string): string[] {
  return saved.split("\n").filter((line) => line.startsWith("-A ") && line.includes(` --comment ${ownTable} `));
}

/** @returns Our interfaces: the bridge and the pods' ends on it. */
export async function leftInterfaces(): Promise<string[]> {
  const ports = await ipJson(["link", "show", "master", bridge]);
  const names = [...ports, ...(await ipJson(["link", "show", "dev", bridge]))].map((entry) => entry.ifname ?? "");
  return names.filter((name) => name !== "");
}

/**
 * @returns Our rules: nftables tables as `family name`, and those of {@link acceptRules} that are there. While another
 * cluster's kube-proxy runs, kube-proxy's tables are its.
 */
export async function leftRules(): Promise<string[]> {
  const answer = await askIfInstalled("nft", ["list", "tables"]);
  const tables = answer.split("\n").map((line) => line.replace(/^table /, ""));
  const names: readonly string[] = foreignProxies().length > 0 ? [ownTable] : [ownTable, proxyTable];
  const ours = tables.filter((table) => names.includes(table.split(" ")[1] ?? ""));
  return [...ours, ...ownAcceptRules(await askIfInstalled("iptables-save", []))];
}

/** Deletes the interfaces and rules of {@link leftInterfaces} and {@link leftRules}. */
export async function removeNetwork(): Promise<void> {
  for (const name of await leftInterfaces()) await ask("ip", ["link", "delete", name]); // one end takes the other along
  for (const rule of await leftRules()) {
    if (rule.startsWith("-A ")) await run("iptables", rule.replace(/^-A /, "-D ").split(" "));
    else await run("nft", ["delete", "table", ...rule.split(" ")]);
  }
}
