import type { types } from "@pulumi/kubernetes";

/** User and group ids that the images run as: the backend's Dockerfile's, and the official PostgreSQL image's. */
export const userIds = { backend: 10001, postgres: 999 } as const;

/**
 * Pod settings of the `restricted` Pod Security Standard for a user id
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

/** Container settings of the same standard, with nothing writable but the volumes. */
export const containerSecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
} satisfies types.input.core.v1.SecurityContext;

/** What every pod of ours sets: its own account, no API token, and no environment variables made of other Services. */
export function podDefaults(serviceAccountName: string) {
  return {
    serviceAccountName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
  } satisfies Partial<types.input.core.v1.PodSpec>;
}

/**
 * Labels of the namespace: Kubernetes itself refuses there any pod that does not meet the `restricted` standard
 * (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
export const namespaceLabels = Object.fromEntries(
  ["enforce", "audit", "warn"].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, "restricted"],
    [`pod-security.kubernetes.io/${mode}-version`, "latest"],
  ]),
) as Readonly<Record<string, string>>;

/** A writable `/tmp` for a container whose root file system is read-only. */
export const temporary = {
  volume: { name: "tmp", emptyDir: {} },
  mount: { name: "tmp", mountPath: "/tmp" },
} as const;
