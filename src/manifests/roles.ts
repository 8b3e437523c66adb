import type { types } from "@pulumi/kubernetes";

/** Who does something to a stack: `update` is `pulumi up`, `preview` only looks. */
export type Task = "preview" | "update";

/** A rule of a Role (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). */
export interface AccessRule {
  readonly apiGroup: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /**
   * The only objects that it is about.
   *
   * @defaultValue all of the namespace
   */
  readonly resourceNames?: readonly string[];
  /** What it is needed for. */
  readonly purpose: string;
}

/** What of a stack decides on what its operator may have to do. */
export interface AccessOptions {
  readonly namespace: string;
  /** Whether the stack declares volume claims: for a database of its own, or for restore points. */
  readonly hasVolumes: boolean;
  /** Secrets that the stack declares, or has declared before with other settings. */
  readonly ownSecrets: readonly string[];
  /** Secrets that others made: which keys they have is looked at. */
  readonly existingSecrets: readonly string[];
  /** Whether the application has a role of its own. */
  readonly hasTwoRoles: boolean;
}

const poll = ["get", "list"];
const follow = [...poll, "watch"];
// What the provider deletes it lists and watches until it is gone, and without a word for ever where it may not.
const declare = [...follow, "create", "patch", "delete"];

const asking: readonly AccessRule[] = [
  { apiGroup: "", resources: ["pods"], verbs: poll, purpose: "finding the pods that can ask the database" },
  { apiGroup: "", resources: ["pods/exec"], verbs: ["get", "create"], purpose: "asking the database, in a pod" },
  { apiGroup: "batch", resources: ["jobs"], verbs: poll, purpose: "knowing which migrations there were" },
  { apiGroup: "apps", resources: ["deployments"], verbs: poll, purpose: "knowing what is there already" },
  {
    apiGroup: "",
    resources: ["services", "persistentvolumeclaims", "serviceaccounts"],
    verbs: poll,
    purpose: "knowing what is there already",
  },
];

const comparing: readonly AccessRule[] = [
  {
    apiGroup: "networking.k8s.io",
    resources: ["networkpolicies"],
    verbs: ["get"],
    purpose: "comparing with what is there",
  },
  { apiGroup: "policy", resources: ["poddisruptionbudgets"], verbs: ["get"], purpose: "comparing with what is there" },
  {
    apiGroup: "",
    resources: ["configmaps", "serviceaccounts"],
    verbs: ["get"],
    purpose: "comparing with what is there",
  },
];

/** Empty lists of names would mean all names. */
function looking({ existingSecrets }: AccessOptions): readonly AccessRule[] {
  if (existingSecrets.length === 0) return [];
  const purpose = "knowing whether the Secrets are there that others make";
  return [{ apiGroup: "", resources: ["secrets"], verbs: ["get"], resourceNames: existingSecrets, purpose }];
}

function updating(options: AccessOptions): readonly AccessRule[] {
  const { namespace, hasVolumes, hasTwoRoles } = options;
  return [
    ...looking(options),
    {
      apiGroup: "",
      resources: ["namespaces"],
      verbs: ["get", "patch"],
      resourceNames: [namespace],
      purpose: "declaring the namespace",
    },
    {
      apiGroup: "",
      resources: ["secrets"],
      verbs: ["list", "watch", "create"], // no name can be given for these
      purpose: "declaring the database's Secret, and seeing one go",
    },
    {
      apiGroup: "",
      resources: ["secrets"],
      verbs: ["get", "patch", "delete"],
      resourceNames: options.ownSecrets,
      purpose: "declaring the database's Secret",
    },
    // The application's Secret has its role's name, and the role before may have had any.
    ...(hasTwoRoles
      ? [{ apiGroup: "", resources: ["secrets"], verbs: ["delete"], purpose: "removing the Secret of the role before" }]
      : []),
    {
      apiGroup: "networking.k8s.io",
      resources: ["networkpolicies"],
      verbs: declare,
      purpose: "declaring what the pods may say to whom",
    },
    {
      apiGroup: "policy",
      resources: ["poddisruptionbudgets"],
      verbs: declare,
      purpose: "declaring how many pods may be away",
    },
    {
      apiGroup: "",
      resources: ["configmaps", "services", "serviceaccounts"],
      verbs: declare,
      purpose: "declaring what the pods need",
    },
    {
      apiGroup: "",
      resources: ["persistentvolumeclaims"],
      verbs: ["list"],
      purpose: "knowing what is there already",
    },
    ...(hasVolumes
      ? [
          {
            apiGroup: "",
            resources: ["persistentvolumeclaims"],
            verbs: [...follow, "create", "patch"],
            purpose: "declaring the volumes",
          },
        ]
      : []),
    {
      apiGroup: "apps",
      resources: ["deployments"],
      verbs: declare,
      purpose: "declaring and following the rollout",
    },
    {
      apiGroup: "apps",
      resources: ["replicasets"],
      verbs: [...follow, "patch"],
      purpose: "following the rollout, and trying it again",
    },
    {
      apiGroup: "batch",
      resources: ["jobs"],
      verbs: declare,
      purpose: "running the migration",
    },
    { apiGroup: "", resources: ["pods"], verbs: [...follow, "delete"], purpose: "following pods" },
    { apiGroup: "", resources: ["pods/log"], verbs: ["get"], purpose: "saying why something failed" },
    { apiGroup: "", resources: ["pods/exec"], verbs: ["get", "create"], purpose: "asking the database, and checking" },
    { apiGroup: "", resources: ["events"], verbs: ["list", "watch"], purpose: "saying why something failed" },
  ];
}

/** @returns All that a task needs in the stack's namespace, and no more. */
export function accessRules(task: Task, options: AccessOptions): readonly AccessRule[] {
  return task === "update" ? updating(options) : [...asking, ...comparing, ...looking(options)];
}

/** @returns The rules as a Role has them. */
export function roleRules(rules: readonly AccessRule[]): types.input.rbac.v1.PolicyRule[] {
  return rules.map(({ apiGroup, resources, verbs, resourceNames }) => ({
    apiGroups: [apiGroup],
    resources: [...resources],
    verbs: [...verbs],
    ...(resourceNames && { resourceNames: [...resourceNames] }),
  }));
}
