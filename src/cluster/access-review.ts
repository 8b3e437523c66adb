import type { AccessRule } from "../manifests/roles.ts";
import type { Kubectl } from "./kubectl.ts";

/** One thing that an account may or may not do. */
export interface Access {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verb: string;
  /** The one object that it is about, if not all. */
  readonly name?: string | undefined;
  /** @defaultValue "namespace" */
  readonly scope?: "namespace" | "cluster";
  readonly purpose: string;
}

/** @returns Each single access that the rules grant. */
export function accesses(rules: readonly AccessRule[]): readonly Access[] {
  return rules.flatMap(({ apiGroup, resources, verbs, resourceNames = [undefined], purpose }) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => resourceNames.map((name) => ({ apiGroup, resource, verb, name, purpose }))),
    ),
  );
}

function review({ apiGroup, resource, verb, name, scope = "namespace" }: Access, inNamespace: string): object {
  const [of, subresource] = resource.split("/");
  const namespace = scope === "namespace" ? inNamespace : undefined;
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { namespace, group: apiGroup, resource: of, subresource, verb, name } },
  };
}

/**
 * Asks the API server what the account of the context may not do, by one kubectl; nothing is changed by it.
 *
 * @throws {Error} If it gave no answer, which every authenticated account can get.
 */
export async function missingAccess(kubectl: Kubectl, wanted: readonly Access[]): Promise<readonly Access[]> {
  const items = wanted.map((access) => review(access, kubectl.namespace));
  const list = { apiVersion: "v1", kind: "List", items };
  const args = ["create", "--validate=false", "--filename=-", "--output=go-template={{.status.allowed}} "];
  const answers = (await kubectl.run(args, JSON.stringify(list), 5)).trim().split(/\s+/);
  if (answers.length !== wanted.length) throw new Error(`asked for ${wanted.length} rights, told of ${answers.length}`);
  return wanted.filter((_, index) => answers[index] !== "true");
}
