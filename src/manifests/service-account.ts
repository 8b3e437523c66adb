import { labels } from "./names.ts";

/** @returns The account that pods of `workload` run as, without its namespace; its token is in no pod. */
export function serviceAccountObject(name: string, workload: string) {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name, labels: labels(workload) },
    automountServiceAccountToken: false,
  } as const;
}
