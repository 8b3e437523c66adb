import type { Kubectl } from "../cluster/kubectl.ts";
import { everyOwnSecret } from "../manifests/database-secrets.ts";
import { type AccessOptions, type AccessRule, accessRules, type Task } from "../manifests/roles.ts";
import type { Settings } from "../settings/settings.ts";
import { existingSecrets } from "./existing-secrets.ts";
import { administratorCommand } from "./namespace.ts";

/** Permission for one verb on one resource. */
export interface Access {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verb: string;
  /**
   * Name of the only object.
   *
   * @defaultValue all objects
   */
  readonly name?: string | undefined;
  /** @defaultValue "namespace" */
  readonly scope?: "namespace" | "cluster";
  readonly purpose: string;
}

/** Returns the settings that determine the required permissions. */
export function accessOptions(settings: Settings): AccessOptions {
  const { namespace, database, restorePoint, applicationRole, namedRole } = settings;
  return {
    namespace,
    hasVolumes: database.kind === "owned" || restorePoint !== undefined,
    ownSecrets: everyOwnSecret(namedRole),
    existingSecrets: existingSecrets(settings).map(({ name }) => name),
    hasSeparateRoles: applicationRole !== undefined,
  };
}

/** The result of reviewing permissions: granted, a description of the missing ones, or why they are unknown. */
export type AccessAnswer = { readonly missing: string } | { readonly unknown: string } | "granted";

/**
 * Reviews whether the account of the stack's context has the permissions for a task. Without the review, the provider
 * could wait silently for an object that it may not read.
 */
export async function reviewAccess(settings: Settings, task: Task, kubectl: Kubectl): Promise<AccessAnswer> {
  const wanted = [...accesses(accessRules(task, accessOptions(settings)))];
  if (task === "update" && settings.createNamespace) wanted.push(...namespaceAccess);
  try {
    const missing = await missingAccess(kubectl, wanted);
    return missing.length > 0 ? { missing: describeMissing(missing, settings) } : "granted";
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns each single permission that the rules grant. */
export function accesses(rules: readonly AccessRule[]): readonly Access[] {
  return rules.flatMap(({ apiGroup, resources, verbs, resourceNames = [undefined], purpose }) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => resourceNames.map((name) => ({ apiGroup, resource, verb, name, purpose }))),
    ),
  );
}

/**
 * Reviews permissions of the context's account with one kubectl; nothing is changed.
 *
 * @returns The missing permissions.
 * @throws {Error} If the review fails, which every authenticated account may request.
 */
export async function missingAccess(kubectl: Kubectl, required: readonly Access[]): Promise<readonly Access[]> {
  const items = required.map((access) => reviewObject(access, kubectl.namespace));
  const list = { apiVersion: "v1", kind: "List", items };
  const args = ["create", "--validate=false", "--filename=-", "--output=go-template={{.status.allowed}} "];
  const output = await kubectl.run(args, JSON.stringify(list));
  const allowed = output.trim().split(/\s+/);
  if (allowed.length !== required.length)
    throw new Error(`reviewed ${required.length} permissions, but received ${allowed.length} results`);
  return required.filter((_, index) => allowed[index] !== "true");
}

function reviewObject(access: Access, targetNamespace: string): object {
  const { apiGroup: group, verb, name, scope = "namespace" } = access;
  const [resource, subresource] = access.resource.split("/");
  const namespace = scope === "namespace" ? targetNamespace : undefined;
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { namespace, group, resource, subresource, verb, name } },
  };
}

/** Permissions of an administrator, for a stack that creates its namespace: no Role of a namespace grants them. */
const namespaceAccess = ["create", "patch"].map((verb): Access => {
  const purpose = "creating the namespace with its labels";
  return { apiGroup: "", resource: "namespaces", verb, scope: "cluster", purpose };
});

function describeMissing(missing: readonly Access[], { context, namespace }: Settings): string {
  const byObject = Object.groupBy(missing, ({ apiGroup, resource, name, purpose }) => {
    const kind = apiGroup === "" ? resource : `${resource}.${apiGroup}`;
    return `${kind}${name === undefined ? "" : ` ${name}`}: ${purpose}`;
  });
  const lines = [
    `insufficient permissions in namespace ${namespace} (context ${context}); no changes were made. Missing:`,
  ];
  for (const [object, each = []] of Object.entries(byObject))
    lines.push(`  ${each.map(({ verb }) => verb).join(", ")} ${object}`);
  lines.push(
    `As an administrator, run: ${administratorCommand({ context })}`,
    "Then bind the Role to the account. To use another context, run: pulumi config set context <name>",
  );
  if (missing.some((access) => namespaceAccess.includes(access)))
    lines.push("If an administrator has created the namespace, run: pulumi config set createNamespace false");
  return lines.join("\n");
}
