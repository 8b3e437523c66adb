import type { types } from "@pulumi/kubernetes";
import { nameLabel, names, partLabel, ports, selectorLabels } from "./names.ts";

/** Network policy for some of Unity's pods. */
export interface NetworkPolicy {
  readonly name: string;
  readonly spec: types.input.networking.v1.NetworkPolicySpec;
}

/** Location of the database: in the stack's namespace, or at any address with one of these TCP ports; `undefined` for any port. */
export type DatabasePlace =
  | { readonly kind: "owned" }
  | { readonly kind: "external"; readonly ports: readonly number[] | undefined };

/**
 * Returns why pods can't reach a database at a URL. The error contains no part of the URL but the port.
 *
 * @param key - Setting with the URL.
 * @returns The error; `undefined` if the port is open or the value is not a URL.
 */
export function databasePortError(
  key: string,
  url: string,
  allowed: readonly number[] | undefined,
): string | undefined {
  const authority = /^[a-z0-9+]+:\/\/(?:[^/?#@\s]*@)?(?:\[[^\]]*\]|[^/?#@:,\s]*)(?::([0-9]+))?\//.exec(url);
  if (allowed === undefined || authority === null) return undefined;
  const queryPort = /[?&]port=([^&#]*)/.exec(url)?.[1];
  if (queryPort !== undefined && !/^[0-9]+$/.test(queryPort)) return undefined; // several, for several hosts
  const port = Number(queryPort ?? authority[1] ?? ports.postgres);
  if (allowed.includes(port)) return undefined;
  return (
    `invalid unity:${key}: network policies block port ${port}; unity:databasePorts is ${allowed.join(",")}. ` +
    `Run: pulumi config set databasePorts ${[...allowed, port].join(",")}`
  );
}

/** Selector of the pods that connect to the database. */
const clients: types.input.meta.v1.LabelSelector = {
  matchExpressions: [{ key: nameLabel, operator: "In", values: [names.backend, names.migrateJob, names.restoreJob] }],
};
const backend: types.input.meta.v1.LabelSelector = { matchLabels: selectorLabels(names.backend) };
const postgres: types.input.meta.v1.LabelSelector = { matchLabels: selectorLabels(names.postgres) };

function tcp(port: number): types.input.networking.v1.NetworkPolicyPort {
  return { protocol: "TCP", port };
}

function databaseEgress(database: DatabasePlace): types.input.networking.v1.NetworkPolicyEgressRule {
  if (database.kind === "owned") return { to: [{ podSelector: postgres }], ports: [tcp(ports.postgres)] };
  return database.ports === undefined ? {} : { ports: database.ports.map(tcp) };
}

/**
 * Returns the network policies of Unity's pods, which may only connect as one of them allows
 * (https://kubernetes.io/docs/concepts/services-networking/network-policies/). They don't select other pods in the namespace.
 */
export function networkPolicies(database: DatabasePlace): readonly NetworkPolicy[] {
  const dns = [{ protocol: "UDP", port: ports.dns }, tcp(ports.dns)];
  const policies: NetworkPolicy[] = [
    {
      name: "unity-deny",
      spec: { podSelector: { matchLabels: partLabel }, policyTypes: ["Ingress", "Egress"] },
    },
    {
      name: "unity-dns",
      spec: { podSelector: clients, policyTypes: ["Egress"], egress: [{ ports: dns }] },
    },
    {
      name: "unity-to-database",
      spec: { podSelector: clients, policyTypes: ["Egress"], egress: [databaseEgress(database)] },
    },
    {
      name: "unity-to-backend",
      spec: { podSelector: backend, policyTypes: ["Ingress"], ingress: [{ ports: [tcp(ports.backend)] }] },
    },
  ];
  if (database.kind === "owned") {
    const ingress = [{ from: [{ podSelector: clients }], ports: [tcp(ports.postgres)] }];
    policies.push({
      name: "unity-to-postgres",
      spec: { podSelector: postgres, policyTypes: ["Ingress"], ingress },
    });
  }
  return policies;
}
