import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { labels } from "./names.ts";

/** User and group IDs of the images: the one in the backend's Dockerfile, and the official PostgreSQL image's. */
export const userIds = { backend: 10001, postgres: 999 } as const;

/**
 * Returns a pod security context that meets the restricted Pod Security Standard
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).
 *
 * @param userId - User and group ID; `none` leaves it to the namespace and the image, which must not be root.
 */
export function podSecurityContext(userId: number | "none"): types.input.core.v1.PodSecurityContext {
  const ids = userId === "none" ? {} : { runAsUser: userId, runAsGroup: userId, fsGroup: userId };
  return { runAsNonRoot: true, ...ids, seccompProfile: { type: "RuntimeDefault" } };
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
export function serviceAccountObject(
  name: string,
  workload: string,
  annotations?: Readonly<Record<string, Input<string>>> | undefined,
  ownLabels = labels(workload),
) {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name, labels: ownLabels, ...(annotations && { annotations }) },
    automountServiceAccountToken: false,
  } as const;
}

/** Levels of the Pod Security Standards, the strictest first. */
export const podSecurityLevels = ["restricted", "baseline", "privileged"] as const;

/** Level of the Pod Security Standards. */
export type PodSecurityLevel = (typeof podSecurityLevels)[number];

/** Label with the Pod Security Standard that Kubernetes enforces in a namespace. */
export const podSecurityLabel = "pod-security.kubernetes.io/enforce";

/**
 * Returns the labels that make Kubernetes reject pods in the namespace that violate a level of the standards
 * (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
export function namespaceLabels(level: PodSecurityLevel): Record<string, string> {
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
