import { type CommandTarget, clusterName } from "../kubectl-command.ts";
import { type DescribedApp, parseDescriptors } from "../manifests/descriptor.ts";
import { appLabel, descriptorLabel } from "../manifests/names.ts";
import type { Kubectl } from "./kubectl.ts";

/** ConfigMap with a descriptor. */
interface Descriptor {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/**
 * Reads how an app of a namespace is deployed.
 *
 * @param name - Name of the app (default: the only one).
 * @throws {Error} If it isn't found, several apps are and none is named, or the cluster can't be queried.
 */
export async function readDeployedApp(
  kubectl: Kubectl,
  target: CommandTarget,
  name: string | undefined,
): Promise<DescribedApp> {
  const list = await kubectl
    .get<{ items: Descriptor[] }>("configmaps", `--selector=${descriptorLabel},${appLabel}`)
    .catch((error: Error) => {
      throw new Error(`can't find the apps of namespace ${target.namespace}: ${error.message}`);
    });
  const app = chooseApp(list.items.map(nameOf), target, name);
  return parseDescriptors(
    app,
    list.items.filter((item) => nameOf(item) === app),
  );
}

function nameOf({ metadata }: Descriptor): string {
  return metadata.labels?.[appLabel] ?? "";
}

/** @throws {Error} If no app of that name exists, or several do and none is named. */
function chooseApp(found: readonly string[], target: CommandTarget, name: string | undefined): string {
  const apps = [...new Set(found)].sort();
  const place = `namespace ${target.namespace} (${clusterName(target)})`;
  const [first] = apps;
  if (first === undefined) {
    const fix = "Pass --namespace <name> and --context <name> of a program that declares a MigrationJob.";
    throw new Error(`no app found in ${place}\n${fix}`);
  }
  if (name !== undefined && !apps.includes(name))
    throw new Error(`app ${name} not found in ${place}; apps: ${apps.join(", ")}`);
  if (name === undefined && apps.length > 1)
    throw new Error(`several apps in ${place}: ${apps.join(", ")}\nPass --app <name>.`);
  return name ?? first;
}
