import { stringify } from "yaml";
import { commandLine } from "../../command-line.ts";
import { type ClusterContext, kubectlCommand } from "../../kubectl-command.ts";
import { neededSecrets } from "../../manifests/database-secrets.ts";
import { caKey } from "../../manifests/database-tls.ts";
import { jobDeadlineSeconds } from "../../manifests/migrate-job.ts";
import { names } from "../../manifests/names.ts";
import { administratorCommand } from "../../preflight/namespace.ts";
import type { Release } from "../../preflight/release.ts";
import type { Settings } from "../../settings/settings.ts";
import type { GeneratedFile } from "../generated-files.ts";
import { accessObjects, type KubernetesObject, namespaceObject, releaseObjects } from "./objects.ts";

/** Paths of the rendered files. */
export const manifestPaths = {
  migration: "k8s/jobs/migrate-database.yaml",
  backend: "k8s/deployments/backend-with-migrations.yaml",
  network: "k8s/network/network-policies.yaml",
  namespace: "k8s/access/namespace.yaml",
  access: "k8s/access/roles.yaml",
} as const;

/** Returns kubectl with the context of a stack. */
export function kubectlFor({ context }: ClusterContext): string {
  return kubectlCommand({ context });
}

/** Returns the commands that migrate the database with the rendered Job: delete, apply, logs, wait. */
export function migrationCommands(settings: Settings): readonly string[] {
  const { namespace, timeouts, restorePoint } = settings;
  const kubectl = kubectlFor(settings);
  const seconds = jobDeadlineSeconds({ timeouts, restorePointImage: restorePoint?.image });
  return [
    `${kubectl} delete -n ${namespace} job/${names.migrateJob} --ignore-not-found`,
    `${kubectl} apply --server-side -f ${manifestPaths.migration}`,
    // It fails until the container has started: its --pod-running-timeout only waits for a pod to exist.
    `until ${kubectl} logs -n ${namespace} job/${names.migrateJob} -f; do sleep 1; done`,
    `${kubectl} wait -n ${namespace} job/${names.migrateJob} --for=condition=complete --timeout=${seconds}s`,
  ];
}

/** Returns the commands that roll out the rendered backend. */
export function backendCommands(settings: Settings): readonly string[] {
  const kubectl = kubectlFor(settings);
  const { namespace, rolloutTimeoutSeconds, replicas } = settings;
  return [
    `${kubectl} apply -f ${manifestPaths.backend}`,
    `${kubectl} rollout status -n ${namespace} deployment/${names.backend} --timeout=${rolloutTimeoutSeconds * replicas}s`,
  ];
}

/** Returns a line for each required Secret. */
function requiredSecrets({ databaseSecrets, databaseTls, namespace }: Settings): readonly string[] {
  // An existing database's owner password is not the release's business.
  const needed = neededSecrets({ ...databaseSecrets, existing: true }, false);
  const required = needed.map(({ name, keys }) => ({ name, keys }));
  const ca = databaseTls?.caSecretName;
  if (ca !== undefined) required.push({ name: ca, keys: [caKey] });
  return required.map(
    ({ name, keys }) => `Requires Secret ${name} in namespace ${namespace}, with key ${keys.join(", ")}.`,
  );
}

/** Returns the YAML files for kubectl: the release, its network policies, and the roles of its operators. */
export function renderFiles(settings: Settings, release: Release): readonly GeneratedFile[] {
  const { migration, backend, network } = releaseObjects(settings, release);
  const migrationComment = [
    `Migrates the database to ${release.head}: a Job that runs Alembic in the backend image, for the reviewed chain.`,
    ...requiredSecrets(settings),
    "",
    ...indented(migrationCommands(settings)),
  ];
  const backendComment = [
    `Deploys the backend. ${initContainer[settings.initContainer]} before the app starts.`,
    `Apply ${manifestPaths.migration} first: its ConfigMap contains the init container's scripts.`,
    ...requiredSecrets(settings),
    "",
    ...indented(backendCommands(settings)),
  ];
  const files: GeneratedFile[] = [
    { path: manifestPaths.migration, text: render(migrationComment, migration) },
    { path: manifestPaths.backend, text: render(backendComment, backend) },
  ];
  if (network.length > 0) files.push({ path: manifestPaths.network, text: render(networkComment(settings), network) });
  files.push({ path: manifestPaths.namespace, text: render(namespaceComment(settings), [namespaceObject(settings)]) });
  files.push({ path: manifestPaths.access, text: render(accessComment(settings), accessObjects(settings)) });
  return files;
}

const initContainer = {
  upgrade: "Its init container migrates the database to the release's revision",
  wait: "Its init container waits for the database to be at the release's revision",
} as const;

function networkComment(settings: Settings): readonly string[] {
  return [
    "Allows only the connections that Unity's pods need, if the cluster's network enforces network policies.",
    "",
    ...indented([`${kubectlFor(settings)} apply --server-side -f ${manifestPaths.network}`]),
  ];
}

function namespaceComment(settings: Settings): readonly string[] {
  return [
    "The namespace, whose labels reject pods that need more privileges than Unity's. An administrator applies it and the",
    "Roles beside it:",
    "",
    ...indented([administratorCommand(settings)]),
    "",
    "With `createNamespace` false, `pulumi up` requires the label `enforce`, and its account needs no right to change it.",
  ];
}

function accessComment(settings: Settings): readonly string[] {
  return [
    "Roles for `pulumi up` and for `pulumi preview` of this stack. An administrator applies them and the namespace:",
    "",
    ...indented([administratorCommand(settings)]),
    "",
    "Set the subjects of the RoleBindings to your accounts. `kubectl exec` permits everything that the pod can do: preview",
    "uses it for read-only queries, which Kubernetes can't enforce.",
  ];
}

function indented(commands: readonly string[]): string[] {
  return commands.map((command) => `  ${command}`);
}

const origin = `Generated by \`${commandLine("render")}\` from the lockfile, the runner, the manifests, and the stack's settings.`;

function render(comment: readonly string[], objects: readonly KubernetesObject[]): string {
  const header = [origin, "", ...comment].map((line) => `# ${line}`.trimEnd()).join("\n");
  // Kubernetes reads YAML 1.1, where unquoted `on` and `no` are booleans.
  const options = { lineWidth: 0, aliasDuplicateObjects: false, version: "1.1" } as const;
  return `${[header, ...objects.map((object) => stringify(object, options).trimEnd())].join("\n---\n")}\n`;
}
