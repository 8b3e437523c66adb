import { type Access, accesses, missingAccess } from "../cluster/access-review.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import { everyOwnSecret } from "../manifests/database-secrets.ts";
import { type AccessOptions, accessRules, type Task } from "../manifests/roles.ts";
import type { Settings } from "../settings/settings.ts";
import { existingSecrets } from "./existing-secrets.ts";

/** @returns What of a stack's settings decides on the rights that it takes. */
export function accessOptions(settings: Settings): AccessOptions {
  const { namespace, database, restorePoint, applicationRole, namedRole } = settings;
  return {
    namespace,
    hasVolumes: database.kind === "owned" || restorePoint !== undefined,
    ownSecrets: everyOwnSecret(namedRole),
    existingSecrets: existingSecrets(settings).map(({ name }) => name),
    hasTwoRoles: applicationRole !== undefined,
  };
}

/** What asking for an account's rights led to: a text that says what is missing, or why nobody can tell. */
export type AccessAnswer = { readonly missing: string } | { readonly unknown: string } | "granted";

/**
 * Asks the cluster, before anything is declared, whether the account of the stack's context may do what a task takes:
 * what the provider lacks a right for it may else wait for without a word.
 */
export async function reviewAccess(
  settings: Settings,
  task: Task,
  kubectl = new Kubectl(settings),
): Promise<AccessAnswer> {
  const { namespace } = settings;
  const wanted = accesses(accessRules(task, accessOptions(settings)));
  try {
    const missing = await missingAccess(kubectl, task === "update" ? [...wanted, makeNamespace] : wanted);
    const needed =
      missing.includes(makeNamespace) && (await exists(kubectl, namespace))
        ? missing.filter((access) => access !== makeNamespace)
        : missing;
    return needed.length > 0 ? { missing: describeMissing(needed, settings) } : "granted";
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) };
  }
}

/** Only an account of the whole cluster has it; where the namespace is there, it isn't needed. */
const makeNamespace: Access = {
  apiGroup: "",
  resource: "namespaces",
  verb: "create",
  scope: "cluster",
  purpose: "making the namespace, which is not there",
};

/** Whether the namespace is there, or can't be seen: then the right to see it is among those that are missing. */
async function exists(kubectl: Kubectl, namespace: string): Promise<boolean> {
  const args = ["get", "namespace", namespace, "--ignore-not-found", "--output=name"];
  return (await kubectl.run(args).catch(() => namespace)) !== "";
}

function describeMissing(missing: readonly Access[], { context, namespace }: Settings): string {
  const byWhat = Object.groupBy(missing, ({ apiGroup, resource, name, purpose }) => {
    const kind = apiGroup === "" ? resource : `${resource}.${apiGroup}`;
    return `${kind}${name === undefined ? "" : ` ${name}`}: ${purpose}`;
  });
  const lines = Object.entries(byWhat).map(
    ([what, each = []]) => `  ${each.map(({ verb }) => verb).join(", ")} ${what}`,
  );
  return [
    `The account of context ${context} lacks rights in namespace ${namespace}. Nothing was changed. It may not`,
    ...lines,
    ...(missing.includes(makeNamespace) ? [`Mend, as an administrator: kubectl create namespace ${namespace}`] : []),
    "Mend, as an administrator: kubectl apply -f k8s/access/roles.yaml, which `npm run unity -- render` writes for this",
    "stack, and bind the Role to the account. Or take another context: pulumi config set context <name>",
  ].join("\n");
}
