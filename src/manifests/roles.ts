import type { types } from "@pulumi/kubernetes";

/** Operation on a stack: `update` is `pulumi up`; `preview` changes nothing. */
export type Task = "preview" | "update";

/** Rule of a Role, with its purpose (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). */
export interface AccessRule {
  readonly apiGroup: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /**
   * Names of the objects that the rule is limited to.
   *
   * @defaultValue all objects in the namespace
   */
  readonly resourceNames?: readonly string[];
  /** Purpose, as printed if the permission is missing. */
  readonly purpose: string;
  /** Whether an update does without it. */
  readonly optional?: true;
}

/** Options that determine which permissions the operator of a stack needs. */
export interface AccessOptions {
  readonly namespace: string;
  /** Whether the stack declares volume claims, for an owned database or for restore points. */
  readonly hasVolumes: boolean;
  /** Secrets that the stack declares, or may have declared with other settings. */
  readonly ownSecrets: readonly string[];
  /** Existing Secrets, whose keys are verified. */
  readonly existingSecrets: readonly string[];
  /** Whether the application's role is separate from the one that migrates. */
  readonly hasSeparateRoles: boolean;
}

const read = ["get", "list"];
const follow = [...read, "watch"];
// The provider lists and watches what it deletes; without that permission, it waits forever and reports nothing.
const declare = [...follow, "create", "patch", "delete"];

/** Returns the rule on the namespace. With the right to change its labels, an account can start privileged pods. */
function namespaceRule({ namespace }: AccessOptions): AccessRule {
  const purpose = "reading the labels of the namespace";
  return { apiGroup: "", resources: ["namespaces"], verbs: ["get"], resourceNames: [namespace], purpose };
}

const queryRules: readonly AccessRule[] = [
  { apiGroup: "", resources: ["pods"], verbs: read, purpose: "finding pods that can query the database" },
  { apiGroup: "", resources: ["pods/exec"], verbs: ["get", "create"], purpose: "querying the database in a pod" },
  { apiGroup: "batch", resources: ["jobs"], verbs: read, purpose: "finding earlier migrations" },
  { apiGroup: "apps", resources: ["deployments"], verbs: read, purpose: "finding existing objects" },
  {
    apiGroup: "",
    resources: ["services", "persistentvolumeclaims", "serviceaccounts"],
    verbs: read,
    purpose: "finding existing objects",
  },
];

const comparison = "comparing with existing objects";
const comparisonRules: readonly AccessRule[] = [
  { apiGroup: "networking.k8s.io", resources: ["networkpolicies"], verbs: ["get"], purpose: comparison },
  { apiGroup: "policy", resources: ["poddisruptionbudgets"], verbs: ["get"], purpose: comparison },
  { apiGroup: "", resources: ["configmaps", "serviceaccounts"], verbs: ["get"], purpose: comparison },
];

/** Returns the rules on existing Secrets: none without Secrets, because an empty list of names would mean all. */
function existingSecretRules({ existingSecrets }: AccessOptions): readonly AccessRule[] {
  if (existingSecrets.length === 0) return [];
  const purpose = "verifying existing Secrets";
  return [{ apiGroup: "", resources: ["secrets"], verbs: ["get"], resourceNames: existingSecrets, purpose }];
}

const policyRules: readonly AccessRule[] = [
  {
    apiGroup: "networking.k8s.io",
    resources: ["networkpolicies"],
    verbs: declare,
    purpose: "declaring network policies",
  },
  {
    apiGroup: "policy",
    resources: ["poddisruptionbudgets"],
    verbs: declare,
    purpose: "declaring the PodDisruptionBudget",
  },
  {
    apiGroup: "",
    resources: ["configmaps", "services", "serviceaccounts"],
    verbs: declare,
    purpose: "declaring the objects that pods use",
  },
  { apiGroup: "", resources: ["persistentvolumeclaims"], verbs: ["list"], purpose: "finding existing objects" },
];

const workloadRules: readonly AccessRule[] = [
  { apiGroup: "apps", resources: ["deployments"], verbs: declare, purpose: "creating and watching the Deployment" },
  {
    apiGroup: "apps",
    resources: ["replicasets"],
    verbs: [...follow, "patch"],
    purpose: "watching the rollout and retrying it",
  },
  { apiGroup: "batch", resources: ["jobs"], verbs: declare, purpose: "running the migration" },
  {
    apiGroup: "batch",
    resources: ["jobs/status"],
    verbs: ["patch"],
    purpose: "completing a migration Job that an injected sidecar keeps active",
  },
  { apiGroup: "", resources: ["pods"], verbs: [...follow, "delete"], purpose: "watching and deleting pods" },
  { apiGroup: "", resources: ["pods/log"], verbs: ["get"], purpose: "reporting the cause of a failure" },
  {
    apiGroup: "",
    resources: ["pods/exec"],
    verbs: ["get", "create"],
    purpose: "querying the database and running checks",
  },
  { apiGroup: "", resources: ["events"], verbs: ["list", "watch"], purpose: "reporting the cause of a failure" },
  { apiGroup: "", resources: ["events"], verbs: ["create"], purpose: "recording the outcome", optional: true },
];

function updateRules(options: AccessOptions): readonly AccessRule[] {
  const rules: AccessRule[] = [
    ...existingSecretRules(options),
    namespaceRule(options),
    {
      apiGroup: "",
      resources: ["secrets"],
      verbs: ["list", "watch", "create"], // RBAC can't limit these to names
      purpose: "declaring the database's Secret, and waiting for its deletion",
    },
    {
      apiGroup: "",
      resources: ["secrets"],
      verbs: ["get", "patch", "delete"],
      resourceNames: options.ownSecrets,
      purpose: "declaring the database's Secret",
    },
  ];
  // The application's Secret is named after its role, and the previous role may have had any name.
  if (options.hasSeparateRoles) {
    const purpose = "deleting the Secret of the previous role";
    rules.push({ apiGroup: "", resources: ["secrets"], verbs: ["delete"], purpose });
  }
  rules.push(...policyRules);
  if (options.hasVolumes) {
    const verbs = [...follow, "create", "patch"];
    rules.push({ apiGroup: "", resources: ["persistentvolumeclaims"], verbs, purpose: "declaring the volumes" });
  }
  rules.push(...workloadRules);
  return rules;
}

/** Returns the permissions that a task needs in the stack's namespace, and no others. */
export function accessRules(task: Task, options: AccessOptions): readonly AccessRule[] {
  if (task === "update") return updateRules(options);
  return [namespaceRule(options), ...queryRules, ...comparisonRules, ...existingSecretRules(options)];
}

/** Returns the rules in the form of a Role. */
export function roleRules(rules: readonly AccessRule[]): types.input.rbac.v1.PolicyRule[] {
  return rules.map(({ apiGroup, resources, verbs, resourceNames }) => {
    const rule: types.input.rbac.v1.PolicyRule = {
      apiGroups: [apiGroup],
      resources: [...resources],
      verbs: [...verbs],
    };
    if (resourceNames !== undefined) rule.resourceNames = [...resourceNames];
    return rule;
  });
}
