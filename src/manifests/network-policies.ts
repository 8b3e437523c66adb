import type { types } from "@pulumi/kubernetes";
import { nameLabel, names, partLabel, ports, selectorLabels } from "./names.ts";

/** What a network policy allows to some of Unity's pods. */
export interface NetworkPolicy {
  readonly name: string;
  readonly spec: types.input.networking.v1.NetworkPolicySpec;
}

/** Where the database is: in the stack's own namespace, or behind some address at one of these TCP ports, or any. */
export type DatabasePlace =
  | { readonly kind: "owned" }
  | { readonly kind: "external"; readonly ports: readonly number[] | undefined };

/**
 * @param key Setting that the URL is of.
 * @returns Why pods could not reach a database at its URL, of which nothing but the port is told; `undefined` if they can,
 * or if the URL is none.
 */
export function databasePortError(
  key: string,
  url: string,
  allowed: readonly number[] | undefined,
): string | undefined {
  const found = /^[a-z0-9+]+:\/\/(?:[^/?#@\s]*@)?(?:\[[^\]]*\]|[^/?#@:,\s]*)(?::([0-9]+))?\//.exec(url);
  if (allowed === undefined || found === null) return undefined;
  const [, inQuery] = /[?&]port=([^&#]*)/.exec(url) ?? [];
  if (inQuery !== undefined && !/^[0-9]+$/.test(inQuery)) return undefined; // several, for several hosts
  const port = Number(inQuery ?? found[1] ?? ports.postgres);
  if (allowed.includes(port)) return undefined;
  return (
    `unity:${key} leads to port ${port}, which the network policies close: unity:databasePorts is ${allowed.join(",")}. ` +
    `Mend: pulumi config set databasePorts ${[...allowed, port].join(",")}`
  );
}

/** Pods that ask the database. */
const clients: types.input.meta.v1.LabelSelector = {
  matchExpressions: [{ key: nameLabel, operator: "In", values: [names.backend, names.migrateJob, names.restoreJob] }],
};
const postgres: types.input.meta.v1.LabelSelector = { matchLabels: selectorLabels(names.postgres) };
const tcp = (port: number) => ({ protocol: "TCP", port });

/**
 * What Unity's pods may say to whom, as Kubernetes lets network policies: nothing, but for what one of them allows
 * (https://kubernetes.io/docs/concepts/services-networking/network-policies/). They bind no other pod of the namespace.
 */
export function networkPolicies(database: DatabasePlace): readonly NetworkPolicy[] {
  const toDatabase =
    database.kind === "owned"
      ? { to: [{ podSelector: postgres }], ports: [tcp(ports.postgres)] }
      : { ...(database.ports !== undefined && { ports: database.ports.map(tcp) }) };
  const fromClients = { from: [{ podSelector: clients }], ports: [tcp(ports.postgres)] };
  return [
    {
      name: "unity-deny",
      spec: { podSelector: { matchLabels: partLabel }, policyTypes: ["Ingress", "Egress"] },
    },
    {
      name: "unity-dns",
      spec: {
        podSelector: clients,
        policyTypes: ["Egress"],
        egress: [{ ports: [{ protocol: "UDP", port: ports.dns }, tcp(ports.dns)] }],
      },
    },
    { name: "unity-to-database", spec: { podSelector: clients, policyTypes: ["Egress"], egress: [toDatabase] } },
    {
      name: "unity-to-backend",
      spec: {
        podSelector: { matchLabels: selectorLabels(names.backend) },
        policyTypes: ["Ingress"],
        ingress: [{ ports: [tcp(ports.backend)] }],
      },
    },
    ...(database.kind === "owned"
      ? [
          {
            name: "unity-to-postgres",
            spec: { podSelector: postgres, policyTypes: ["Ingress"], ingress: [fromClients] },
          },
        ]
      : []),
  ];
}
