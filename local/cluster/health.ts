import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { apiIsReady, askApi } from "./api.ts";
import type { Component } from "./components.ts";
import { clusterName, network, ports } from "./config.ts";
import { logPath, runningPid } from "./processes.ts";

/** What is read of a Node object. */
interface NodeObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime: string;
    }[];
  };
}

/**
 * @param since Milliseconds; what the kubelet said before is from an earlier run and doesn't count. @defaultValue Any time.
 * @returns Whether the node is ready for pods.
 */
export async function nodeIsReady(since = 0): Promise<boolean> {
  const answer = await askApi(`/api/v1/nodes/${clusterName}`);
  if (answer.status !== 200) return false;
  const ready = (JSON.parse(answer.text) as NodeObject).status?.conditions?.find((one) => one.type === "Ready");
  return ready?.status === "True" && Date.parse(ready.lastHeartbeatTime) >= Math.floor(since / 1000) * 1000;
}

/** What is read of a Pod object. */
interface PodObject {
  readonly status?: {
    readonly containerStatuses?: readonly { readonly state?: { readonly running?: { readonly startedAt: string } } }[];
  };
}

/**
 * @param since Milliseconds; no container started before runs any more.
 * @returns Whether no pod is said to have such a container running: the kubelet has told of them all.
 */
export async function podsAreKnown(since: number): Promise<boolean> {
  const answer = await askApi(`/api/v1/pods?fieldSelector=spec.nodeName=${clusterName}`);
  if (answer.status !== 200) return false;
  const pods = (JSON.parse(answer.text) as { readonly items: readonly PodObject[] }).items;
  const starts = pods.flatMap((pod) => pod.status?.containerStatuses ?? []).map((one) => one.state?.running?.startedAt);
  return starts.every((start) => start === undefined || Date.parse(start) >= Math.floor(since / 1000) * 1000);
}

/** @returns Whether pods can be made in the default namespace: its service account is there. */
export async function serviceAccountExists(): Promise<boolean> {
  return (await askApi("/api/v1/namespaces/default/serviceaccounts/default")).status === 200;
}

/** @returns Whether the cluster's DNS answers with the API server's Service. */
export async function dnsAnswers(): Promise<boolean> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${network.nodeAddress}:${ports.dns}`]);
  const addresses = await resolver.resolve4("kubernetes.default.svc.cluster.local");
  return addresses.includes(network.apiServiceAddress);
}

/** @returns Whether kube-proxy has written its rules. */
export async function proxyIsReady(): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${ports.proxyHealth}/healthz`, { signal: AbortSignal.timeout(1000) })).ok;
}

/** @returns Whether something accepts connections at a TCP address or a Unix socket. */
export function accepts(address: { host: string; port: number } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.on("connect", () => answer(true)).on("error", () => answer(false));
  });
}

/** @returns Whether every component runs, the API server is ready and the node is. */
export async function isHealthy(components: readonly Component[]): Promise<boolean> {
  if (components.some((component) => runningPid(component.name) === undefined)) return false;
  const [api, node] = await Promise.all([apiIsReady(), nodeIsReady()]).catch(() => [false, false]);
  return api && node;
}

/** @throws If one of the components has ended, with the end of its log. */
export function requireRunning(components: readonly Component[]): void {
  const ended = components.find((component) => runningPid(component.name) === undefined);
  if (ended === undefined) return;
  const lines = readFileSync(logPath(ended.name), "utf8").trim().split("\n").slice(-8).join("\n");
  throw new Error(`${ended.name} ended while the cluster started; its log ${logPath(ended.name)} ends with\n${lines}`);
}
