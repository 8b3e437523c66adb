import type { types } from "@pulumi/kubernetes";
import { nameLabel, names, partLabel, ports, selectorLabels } from "./names.ts";

/** What a network policy allows to some of Unity's pods. */
export interface NetworkPolicy {
  readonly name: string;
  readonly spec: types.input.networking.v1.NetworkPolicySpec;
}

/** Where the database is: in the stack's own namespace, or behind some address at one of these TCP ports. */
export type DatabasePlace = { readonly kind: "owned" } | { readonly kind: "external"; readonly ports: readonly number[] };

/** Pods that ask the database. */
const clients: types.input.meta.v1.LabelSelector = {
  matchExpressions: [
    { key: nameLabel, operator: "In", values: [names.backend, names.migrateJob, names.restoreJob] },
  ],
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
      : { ports: database.ports.map(tcp) };
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
      ? [{ name: "unity-to-postgres", spec: { podSelector: postgres, policyTypes: ["Ingress"], ingress: [fromClients] } }]
      : []),
  ];
}
