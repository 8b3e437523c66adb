import type { V1Container, V1PodSpec } from "@kubernetes/client-node";
import { literalCredentials, urlsWithPassword } from "./credentials.ts";
import { jobSpecsOf, podSpecsOf, type Resource } from "./resource.ts";

/** A rule on a single resource. */
interface Rule {
  readonly name: string;
  /** Requirement, which Pulumi prints before each violation. */
  readonly description: string;
  /** Returns a message for each violation; never a value that may be a secret. */
  violations(resource: Resource): string[];
}

/** Applies a check to each container of a resource's pods. */
function perContainer(check: (container: V1Container, pod: V1PodSpec) => string[]): Rule["violations"] {
  return (resource) => {
    const violations: string[] = [];
    for (const pod of podSpecsOf(resource)) {
      for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
        for (const message of check(container, pod)) violations.push(`container ${container.name}: ${message}`);
      }
    }
    return violations;
  };
}

/**
 * Returns the fields of a container's security context that violate the restricted Pod Security Standard
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).
 */
function restrictedViolations(container: V1Container, pod: V1PodSpec): string[] {
  const { allowPrivilegeEscalation, capabilities, privileged, ...own } = container.securityContext ?? {};
  const violations: string[] = [];
  const runAsNonRoot = own.runAsNonRoot ?? pod.securityContext?.runAsNonRoot;
  const seccompProfile = own.seccompProfile ?? pod.securityContext?.seccompProfile;
  const added = capabilities?.add ?? [];
  if (privileged === true) violations.push("must not set securityContext.privileged=true");
  if (allowPrivilegeEscalation !== false) violations.push("must set securityContext.allowPrivilegeEscalation=false");
  if (runAsNonRoot !== true) violations.push("must set securityContext.runAsNonRoot=true");
  if (!["RuntimeDefault", "Localhost"].includes(seccompProfile?.type ?? ""))
    violations.push("must set securityContext.seccompProfile.type to RuntimeDefault or Localhost");
  if (!capabilities?.drop?.includes("ALL")) violations.push('must set securityContext.capabilities.drop=["ALL"]');
  if (added.some((capability) => capability !== "NET_BIND_SERVICE"))
    violations.push("must not add capabilities other than NET_BIND_SERVICE");
  return violations;
}

const containerCredentials = perContainer(literalCredentials);

/** Rules on a single resource, each a policy of the pack. */
export const rules: readonly Rule[] = [
  {
    name: "floating-image",
    description: "Images must be pinned by digest; tags are mutable.",
    violations: perContainer(({ image = "" }) => {
      if (/@sha256:[0-9a-f]{64}$/.test(image)) return [];
      return [`image "${image}" is not pinned by digest`];
    }),
  },
  {
    name: "job-deadline",
    description: "Jobs must have a deadline; otherwise one that hangs never ends.",
    violations: (resource) => {
      const endless = jobSpecsOf(resource).filter(({ activeDeadlineSeconds = 0 }) => !(activeDeadlineSeconds > 0));
      return endless.map(() => "must set spec.activeDeadlineSeconds to more than 0");
    },
  },
  {
    name: "job-ttl",
    description: "Finished Jobs must be kept; otherwise the next update creates and runs them again.",
    violations: (resource) => {
      const vanishing = jobSpecsOf(resource).filter((spec) => spec.ttlSecondsAfterFinished !== undefined);
      return vanishing.map(() => "must not set spec.ttlSecondsAfterFinished");
    },
  },
  {
    name: "literal-credential",
    description: "Credentials must come from a Secret.",
    violations: (resource) => [...containerCredentials(resource), ...urlsWithPassword(resource)],
  },
  {
    name: "restricted-pod",
    description: "Containers must set the security context of the restricted Pod Security Standard.",
    violations: perContainer(restrictedViolations),
  },
  {
    name: "termination-message",
    description: "Containers must report why they failed in their termination message.",
    violations: perContainer(({ terminationMessagePolicy }) => {
      if (terminationMessagePolicy === "FallbackToLogsOnError") return [];
      return ["must set terminationMessagePolicy=FallbackToLogsOnError"];
    }),
  },
];
