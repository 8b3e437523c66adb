import type { types } from "@pulumi/kubernetes";
import { labels } from "./names.ts";

/** User and group IDs of the images: the one in the backend's Dockerfile, and the official PostgreSQL image's. */
export const userIds = { backend: 10001, postgres: 999 } as const;

/**
 * Returns a pod security context that meets the restricted Pod Security Standard
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).
 */
export function podSecurityContext(userId: number): types.input.core.v1.PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: userId,
    runAsGroup: userId,
    fsGroup: userId,
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** Container security context of the same standard, with a read-only root file system. */
export const containerSecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
} satisfies types.input.core.v1.SecurityContext;

/** Returns the pod spec fields common to all pods: its own account, no API token, and no environment variables for other Services. */
export function podDefaults(serviceAccountName: string) {
  return {
    serviceAccountName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
  } satisfies Partial<types.input.core.v1.PodSpec>;
}

/** Returns the service account of a workload's pods, without a namespace. No pod mounts its token. */
export function serviceAccountObject(name: string, workload: string) {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name, labels: labels(workload) },
    automountServiceAccountToken: false,
  } as const;
}

/** Label with the Pod Security Standard that Kubernetes enforces in a namespace. */
export const podSecurityLabel = "pod-security.kubernetes.io/enforce";

/**
 * Labels that make Kubernetes reject pods in the namespace that violate the restricted standard
 * (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
export const namespaceLabels: Readonly<Record<string, string>> = podSecurityLabels("restricted");

function podSecurityLabels(level: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const mode of ["enforce", "audit", "warn"]) {
    all[`pod-security.kubernetes.io/${mode}`] = level;
    all[`pod-security.kubernetes.io/${mode}-version`] = "latest";
  }
  return all;
}

/** Writable `/tmp` for a container with a read-only root file system. */
export const temporary = {
  volume: { name: "tmp", emptyDir: {} },
  mount: { name: "tmp", mountPath: "/tmp" },
} as const;
