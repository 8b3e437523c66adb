import { type AddedContainer, addedContainers, type ContainerSecurity, type PodConfig } from "./pod-config.ts";
import { type PodSecurityLevel, podSecurityLevels } from "./security.ts";

/** Field that violates a control of the Pod Security Standards. */
export interface StandardViolation {
  /** Path in the configuration, such as `securityContext.privileged`. */
  readonly path: string;
  readonly value: unknown;
  /** Requirement after "must be". */
  readonly allowed: string;
}

/** Capabilities that a container may add under the baseline level. */
const baselineCapabilities = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/** Types of seccomp and AppArmor profiles. */
const profileTypes = ["RuntimeDefault", "Localhost"];

/** Prefix of the annotations with the AppArmor profiles of containers, before Kubernetes had fields for them. */
const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

/** SELinux types, of which the last is allowed since Kubernetes 1.31. */
const seLinuxTypes = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/** Types of volumes that the restricted level allows. */
const restrictedVolumes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/**
 * Returns the fields of a configuration that violate a level of the Pod Security Standards
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/). What the project declares meets all levels.
 */
export function standardViolations(config: PodConfig, level: PodSecurityLevel): readonly StandardViolation[] {
  const { securityContext, annotations = {}, volumes = [] } = config;
  const violations = [...securityViolations("securityContext", securityContext, level)];
  if (requires(level, "baseline")) violations.push(...annotationViolations(annotations));
  for (const list of addedContainers)
    for (const [index, container] of (config[list] ?? []).entries())
      violations.push(...containerViolations(`${list}[${index}]`, container, level));
  for (const [index, volume] of volumes.entries()) violations.push(...volumeViolations(index, volume, level));
  const standard = `under the ${level} Pod Security Standard, which podSecurityStandard can waive`;
  return violations.map((violation) => ({ ...violation, allowed: `${violation.allowed} ${standard}` }));
}

/** Whether the controls of `required` hold at a level, which may be less strict. */
function requires(level: PodSecurityLevel, required: "baseline" | "restricted"): boolean {
  return podSecurityLevels.indexOf(level) <= podSecurityLevels.indexOf(required);
}

function securityViolations(
  path: string,
  context: ContainerSecurity = {},
  level: PodSecurityLevel,
): readonly StandardViolation[] {
  const { privileged, procMount, capabilities, seccompProfile, windowsOptions } = context;
  const { appArmorProfile, seLinuxOptions } = context;
  const { allowPrivilegeEscalation, runAsNonRoot, runAsUser } = context;
  const violations: StandardViolation[] = [];
  const add = (field: string, value: unknown, allowed: string) =>
    violations.push({ path: `${path}.${field}`, value, allowed });
  const restricted = requires(level, "restricted");
  if (requires(level, "baseline")) {
    if (privileged === true) add("privileged", privileged, "false");
    if (procMount !== undefined && procMount !== "Default") add("procMount", procMount, '"Default"');
    if (windowsOptions?.hostProcess === true) add("windowsOptions.hostProcess", true, "false");
    for (const [field, profile] of Object.entries({ seccompProfile, appArmorProfile }))
      if (profile && !profileTypes.includes(profile.type))
        add(`${field}.type`, profile.type, '"RuntimeDefault" or "Localhost"');
    const { type, user, role } = seLinuxOptions ?? {};
    if (type && !seLinuxTypes.includes(type)) add("seLinuxOptions.type", type, `one of ${seLinuxTypes.join(", ")}`);
    for (const [field, value] of Object.entries({ user, role }))
      if (value) add(`seLinuxOptions.${field}`, value, "left out");
    const allowed = restricted ? ["NET_BIND_SERVICE"] : baselineCapabilities;
    for (const [index, capability] of (capabilities?.add ?? []).entries())
      if (!allowed.includes(capability)) add(`capabilities.add[${index}]`, capability, `one of ${allowed.join(", ")}`);
  }
  if (restricted) {
    if (allowPrivilegeEscalation === true) add("allowPrivilegeEscalation", true, "false");
    if (runAsNonRoot === false) add("runAsNonRoot", runAsNonRoot, "true");
    if (runAsUser === 0) add("runAsUser", runAsUser, "greater than 0");
    if (capabilities?.drop !== undefined && !capabilities.drop.includes("ALL"))
      add("capabilities.drop", capabilities.drop, '["ALL"]');
  }
  return violations;
}

/** Returns the violations of plain values; Kubernetes verifies outputs. */
function annotationViolations(annotations: object): StandardViolation[] {
  const forbidden = Object.entries(annotations).filter(
    ([key, value]) =>
      key.startsWith(appArmorPrefix) && typeof value === "string" && !/^($|runtime\/default$|localhost\/)/.test(value),
  );
  const allowed = '"runtime/default" or "localhost/<profile>"';
  return forbidden.map(([key, value]) => ({ path: `annotations["${key}"]`, value, allowed }));
}

function containerViolations(path: string, container: AddedContainer, level: PodSecurityLevel): StandardViolation[] {
  const violations = [...securityViolations(`${path}.securityContext`, container.securityContext, level)];
  for (const [index, { hostPort }] of (container.ports ?? []).entries())
    if (requires(level, "baseline") && (hostPort ?? 0) !== 0)
      violations.push({ path: `${path}.ports[${index}].hostPort`, value: hostPort, allowed: "0" });
  if (requires(level, "baseline")) violations.push(...handlerViolations(path, container));
  return violations;
}

/** Parts of probes and of lifecycle hooks that name a host. */
type Handler = { readonly [action in "httpGet" | "tcpSocket"]?: { readonly host?: string } };

/** Returns the hosts that the node would connect to for a probe or a hook. */
function handlerViolations(path: string, container: AddedContainer): StandardViolation[] {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  const hooks = Object.entries(container.lifecycle ?? {}).map(([name, hook]) => [`lifecycle.${name}`, hook] as const);
  const handlers = [...Object.entries({ livenessProbe, readinessProbe, startupProbe }), ...hooks];
  return handlers.flatMap(([name, handler]) =>
    (["httpGet", "tcpSocket"] as const).flatMap((action) => {
      const host = (handler as Handler | undefined)?.[action]?.host;
      return host ? [{ path: `${path}.${name}.${action}.host`, value: host, allowed: "left out" }] : [];
    }),
  );
}

function volumeViolations(index: number, volume: object, level: PodSecurityLevel): StandardViolation[] {
  const kinds = Object.entries(volume).filter(([key, value]) => key !== "name" && value !== undefined);
  return kinds.flatMap(([kind, value]) => {
    const isRestricted = requires(level, "restricted");
    const isAllowed = isRestricted
      ? restrictedVolumes.includes(kind)
      : kind !== "hostPath" || !requires(level, "baseline");
    if (isAllowed) return [];
    const allowed = `a volume of ${isRestricted ? `type ${restrictedVolumes.join(", ")}` : "any type except hostPath"}`;
    return [{ path: `volumes[${index}].${kind}`, value, allowed }];
  });
}
