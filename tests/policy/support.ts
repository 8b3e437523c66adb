import type { V1Container, V1PodSpec } from "@kubernetes/client-node";
import type { Resource } from "../../policy/resource.ts";

/** A container that violates no rule. */
export const container: V1Container = {
  name: "main",
  image: `registry.example/unity-backend@sha256:${"a".repeat(64)}`,
  env: [
    { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "unity-database", key: "DATABASE_URL" } } },
    { name: "PGDATA", value: "/data" },
  ],
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  terminationMessagePolicy: "FallbackToLogsOnError",
};

const pod: V1PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [container],
};

/** Returns a Job that violates no rule, but for what is changed. */
export function job(spec: object = {}, podChanges: Partial<V1PodSpec> = {}): Resource {
  return {
    type: "kubernetes:batch/v1:Job",
    name: "migration-job",
    props: {
      metadata: { annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { activeDeadlineSeconds: 600, template: { spec: { ...pod, ...podChanges } }, ...spec },
    },
  };
}
