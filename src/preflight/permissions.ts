import type { types } from "@pulumi/kubernetes";
import type { Unwrap } from "@pulumi/pulumi";
import type { Kubectl } from "../cluster/kubectl.ts";
import { clusterName } from "../kubectl-command.ts";
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
  const rules = accessRules(task, accessOptions(settings));
  const wanted = [...accesses(rules.filter(({ optional }) => optional !== true))];
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

type GrantedRule = Unwrap<types.input.rbac.v1.PolicyRule>;

/** Rules of an account in a namespace, as the API server lists them. */
interface GrantedRules {
  readonly resourceRules?: readonly GrantedRule[];
  /** Whether it can't list all of them. */
  readonly incomplete: boolean;
}

/** Number of single reviews by one kubectl, which sends one after another. */
const batchSize = 10;

/**
 * Reviews permissions of the context's account; nothing is changed. One request lists the rules of the namespace; only an
 * authorizer that can't list them all, such as a cloud's, is asked for single permissions.
 *
 * @returns The missing permissions.
 * @throws {Error} If the review fails, which every authenticated account may request.
 */
export async function missingAccess(kubectl: Kubectl, required: readonly Access[]): Promise<readonly Access[]> {
  const ofNamespace = required.filter(({ scope }) => scope !== "cluster");
  const ofCluster = required.filter(({ scope }) => scope === "cluster");
  const [rules, ...answers] = await review(kubectl, [rulesReview(kubectl), ...ofCluster.map(accessReview(kubectl))]);
  const { resourceRules = [], incomplete } = rules as GrantedRules;
  const unlisted = ofNamespace.filter((access) => !resourceRules.some((rule) => grants(rule, access)));
  const denied = ofCluster.filter((_, index) => !isAllowed(answers[index]));
  const missing = incomplete ? await deniedAccess(kubectl, unlisted) : unlisted;
  return required.filter((access) => denied.includes(access) || missing.includes(access));
}

/** Returns the permissions that single reviews deny. */
async function deniedAccess(kubectl: Kubectl, required: readonly Access[]): Promise<readonly Access[]> {
  const batches: Access[][] = [];
  for (let first = 0; first < required.length; first += batchSize)
    batches.push(required.slice(first, first + batchSize));
  const denied = await Promise.all(
    batches.map(async (batch) => {
      const answers = await review(kubectl, batch.map(accessReview(kubectl)));
      return batch.filter((_, index) => !isAllowed(answers[index]));
    }),
  );
  return denied.flat();
}

/** Whether a rule grants a permission. */
function grants(rule: GrantedRule, { apiGroup, resource, verb, name }: Access): boolean {
  const { apiGroups = [], resources = [], verbs, resourceNames = [] } = rule;
  const includes = (granted: readonly string[], wanted: string) => granted.includes("*") || granted.includes(wanted);
  const ofEveryResource = resource.replace(/^.*\//, "*/"); // such as */exec
  const isResource = includes(resources, resource) || (resource.includes("/") && resources.includes(ofEveryResource));
  const isNamed = resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name));
  return includes(apiGroups, apiGroup) && isResource && includes(verbs, verb) && isNamed;
}

function isAllowed(answer: unknown): boolean {
  return (answer as { readonly allowed?: boolean } | undefined)?.allowed === true;
}

/** Creates reviews with one kubectl, and returns the status of each. The API server answers a review and stores nothing. */
async function review(kubectl: Kubectl, items: readonly object[]): Promise<readonly unknown[]> {
  const list = { apiVersion: "v1", kind: "List", items };
  const args = ["create", "--validate=false", "--filename=-", '--output=jsonpath={.status}{"\\n"}'];
  const lines = (await kubectl.run(args, JSON.stringify(list))).trim().split("\n");
  if (lines.length !== items.length)
    throw new Error(`requested ${items.length} reviews, but received ${lines.length} results`);
  return lines.map((line) => JSON.parse(line));
}

const apiVersion = "authorization.k8s.io/v1";

function rulesReview({ namespace }: Kubectl): object {
  return { apiVersion, kind: "SelfSubjectRulesReview", spec: { namespace } };
}

function accessReview({ namespace: target }: Kubectl): (access: Access) => object {
  return ({ apiGroup: group, resource: whole, verb, name, scope = "namespace" }) => {
    const [resource, subresource] = whole.split("/");
    const namespace = scope === "namespace" ? target : undefined;
    const resourceAttributes = { namespace, group, resource, subresource, verb, name };
    return { apiVersion, kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  };
}

/** Permissions of an administrator, for a stack that creates its namespace: no Role of a namespace grants them. */
const namespaceAccess = ["create", "patch"].map((verb): Access => {
  const purpose = "creating the namespace with its labels";
  return { apiGroup: "", resource: "namespaces", verb, scope: "cluster", purpose };
});

function describeMissing(missing: readonly Access[], settings: Settings): string {
  const byObject = Object.groupBy(missing, ({ apiGroup, resource, name, purpose }) => {
    const kind = apiGroup === "" ? resource : `${resource}.${apiGroup}`;
    return `${kind}${name === undefined ? "" : ` ${name}`}: ${purpose}`;
  });
  const lines = [
    `insufficient permissions in namespace ${settings.namespace} (${clusterName(settings)}); no changes were made. Missing:`,
  ];
  for (const [object, each = []] of Object.entries(byObject))
    lines.push(`  ${each.map(({ verb }) => verb).join(", ")} ${object}`);
  lines.push(
    `As an administrator, run: ${administratorCommand(settings)}`,
    "Then bind the Role to the account. To use another context, run: pulumi config set context <name>",
  );
  if (missing.some((access) => namespaceAccess.includes(access)))
    lines.push("If an administrator has created the namespace, run: pulumi config set createNamespace false");
  return lines.join("\n");
}
