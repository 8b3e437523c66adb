import { stringify } from "yaml";
import { neededSecrets } from "../../manifests/database-secrets.ts";
import { caKey } from "../../manifests/database-tls.ts";
import { names } from "../../manifests/names.ts";
import { namespaceLabels } from "../../manifests/security.ts";
import type { Release } from "../../preflight/release.ts";
import type { Settings } from "../../settings/settings.ts";
import type { GeneratedFile } from "../generated-files.ts";
import { accessObjects, type KubernetesObject, releaseObjects } from "./objects.ts";

/** Where the rendered objects lie. */
export const manifestPaths = {
  migration: "k8s/jobs/migrate-database.yaml",
  backend: "k8s/deployments/backend-with-migrations.yaml",
  network: "k8s/network/network-policies.yaml",
  access: "k8s/access/roles.yaml",
} as const;

/** @returns kubectl as it is typed for a stack. */
export function kubectlFor({ context }: Pick<Settings, "context">): string {
  return `kubectl --context ${context}`;
}

/** @returns The commands that bring the database to where the release wants it, by the rendered Job. */
export function migrationCommands(settings: Settings): readonly string[] {
  const { namespace, timeouts } = settings;
  const kubectl = kubectlFor(settings);
  return [
    `${kubectl} delete -n ${namespace} job/${names.migrateJob} --ignore-not-found`,
    `${kubectl} apply -f ${manifestPaths.migration}`,
    `${kubectl} logs -n ${namespace} job/${names.migrateJob} -f --pod-running-timeout=1m`,
    `${kubectl} wait -n ${namespace} job/${names.migrateJob} --for=condition=complete --timeout=${timeouts.deadlineSeconds}s`,
  ];
}

/** @returns The commands that roll out the rendered backend. */
export function backendCommands(settings: Settings): readonly string[] {
  const kubectl = kubectlFor(settings);
  const { namespace, rolloutTimeoutSeconds, replicas } = settings;
  return [
    `${kubectl} apply -f ${manifestPaths.backend}`,
    `${kubectl} rollout status -n ${namespace} deployment/${names.backend} --timeout=${rolloutTimeoutSeconds * replicas}s`,
  ];
}

/** @returns A sentence for each Secret that must be there. */
function secretSentences({ databaseSecrets, databaseTls, namespace }: Settings): readonly string[] {
  const ca = databaseTls?.caSecretName;
  const needed = [
    // Of a database that is there already, the owner's password is the database's own business.
    ...neededSecrets({ ...databaseSecrets, existing: true }, false),
    ...(ca === undefined ? [] : [{ name: ca, keys: [caKey] }]),
  ];
  return needed.map(
    ({ name, keys }) => `Secret ${name} in namespace ${namespace}, with the key ${keys.join(", ")}, must be there.`,
  );
}

/** @returns The files of YAML that kubectl alone can apply: the release, and what its operators may do. */
export function renderFiles(settings: Settings, release: Release): readonly GeneratedFile[] {
  const { migration, backend, network } = releaseObjects(settings, release);
  const secrets = secretSentences(settings);
  return [
    {
      path: manifestPaths.migration,
      text: render(
        [
          `Brings the database to ${release.head}: a Job that runs the image's own Alembic by the reviewed chain.`,
          ...secrets,
          "",
          ...migrationCommands(settings).map((command) => `  ${command}`),
        ],
        migration,
      ),
    },
    {
      path: manifestPaths.backend,
      text: render(
        [
          `The backend, whose init container ${does[settings.initContainer]} before the app starts.`,
          `Apply ${manifestPaths.migration} first: its ConfigMap holds what the init container runs.`,
          ...secrets,
          "",
          ...backendCommands(settings).map((command) => `  ${command}`),
        ],
        backend,
      ),
    },
    ...(network.length === 0 ? [] : [{ path: manifestPaths.network, text: render(networkComment(settings), network) }]),
    {
      path: manifestPaths.access,
      text: render(
        [
          "What an account needs for `pulumi up` of this stack, and for `pulumi preview` alone; an administrator applies it:",
          "",
          `  ${kubectlFor(settings)} create namespace ${settings.namespace}`,
          `  ${kubectlFor(settings)} apply -f ${manifestPaths.access}`,
          "",
          "Name the accounts in the RoleBindings. Who may look by `kubectl exec` can do what a pod can: preview asks the",
          "database that way, read-only, but Kubernetes can't hold anyone to that.",
        ],
        accessObjects(settings),
      ),
    },
  ];
}

function networkComment(settings: Settings): readonly string[] {
  const kubectl = kubectlFor(settings);
  const labels = Object.entries(namespaceLabels).map(([key, value]) => `${key}=${value}`);
  return [
    "What Unity's pods may say to whom: nothing else, on a cluster whose network enforces network policies.",
    "The second command lets Kubernetes refuse any pod of the namespace that asks for more than Unity's do.",
    "",
    `  ${kubectl} apply -f ${manifestPaths.network}`,
    `  ${kubectl} label namespace ${settings.namespace} --overwrite ${labels.join(" ")}`,
  ];
}

const does = {
  upgrade: "brings the database to where the release wants it, if it is behind,",
  wait: "waits until the database is where the release wants it",
} as const;

const origin = "Made by `npm run unity -- render` from the lock, the runner, manifests/ and the stack's settings.";

function render(comment: readonly string[], objects: readonly KubernetesObject[]): string {
  const header = [origin, "", ...comment].map((line) => `# ${line}`.trimEnd()).join("\n");
  // YAML 1.1 is what Kubernetes reads: there `on` and `no` are no texts unless they are quoted.
  const options = { lineWidth: 0, aliasDuplicateObjects: false, version: "1.1" } as const;
  return `${[header, ...objects.map((object) => stringify(object, options).trimEnd())].join("\n---\n")}\n`;
}
