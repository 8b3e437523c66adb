import type { types } from "@pulumi/kubernetes";
import { labels, names, ports, selectorLabels, serviceAccounts } from "./names.ts";
import type { PlainPlacement } from "./pod-config.ts";
import { placementOf } from "./pod-merge.ts";
import { containerSecurityContext, podDefaults, podSecurityContext, temporary, userIds } from "./security.ts";

/** Options for an owned PostgreSQL. */
export interface PostgresOptions {
  /** PostgreSQL image with the contract of the official one: environment, user ID, and paths. */
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Size of the data volume, as a Kubernetes quantity. */
  readonly storage: string;
  /** Secret with `POSTGRES_PASSWORD`. */
  readonly secretName: string;
  /**
   * Where the pod runs, and the Secrets that pull its image.
   *
   * @defaultValue any node
   */
  readonly placement?: PlainPlacement | undefined;
}

/** Time for a start of PostgreSQL, which includes the recovery after a crash: it replays up to hours of changes. */
export const postgresStartSeconds = 3600;

const dataMountPath = "/var/lib/postgresql/data";

/** Returns the URL of the owned database for a role; its password may contain any character. */
export function ownedDatabaseUrl(password: string, role: string = names.databaseOwner): string {
  const credentials = `${role}:${encodeURIComponent(password)}`;
  return `postgresql://${credentials}@${names.postgresService}:${ports.postgres}/${names.database}`;
}

/** Returns the spec of the data volume's claim. */
export function postgresClaimSpec(storage: string): types.input.core.v1.PersistentVolumeClaimSpec {
  return { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } };
}

function ready(periodSeconds: number, failureThreshold: number): types.input.core.v1.Probe {
  const command = ["pg_isready", "--quiet", `--username=${names.databaseOwner}`, `--dbname=${names.database}`];
  // Over TCP: during initialization, the image's server listens on its socket only.
  return { exec: { command: [...command, "--host=127.0.0.1"] }, periodSeconds, failureThreshold, timeoutSeconds: 3 };
}

function postgresContainer(options: PostgresOptions): types.input.core.v1.Container {
  return {
    name: names.postgres,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    ports: [{ name: "postgres", containerPort: ports.postgres }],
    env: [
      { name: "POSTGRES_USER", value: names.databaseOwner },
      { name: "POSTGRES_DB", value: names.database },
      {
        name: "POSTGRES_PASSWORD",
        valueFrom: { secretKeyRef: { name: options.secretName, key: "POSTGRES_PASSWORD" } },
      },
      // Below the mount: initdb rejects a volume's root that contains `lost+found`.
      { name: "PGDATA", value: `${dataMountPath}/pgdata` },
    ],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "1Gi" } },
    securityContext: containerSecurityContext,
    startupProbe: ready(1, postgresStartSeconds),
    readinessProbe: ready(5, 3),
    livenessProbe: ready(10, 6),
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: "data", mountPath: dataMountPath },
      { name: "run", mountPath: "/var/run/postgresql" },
      temporary.mount,
    ],
  };
}

/** Returns the spec of PostgreSQL's Deployment: one pod, deleted before the next one opens the same data. */
export function postgresDeploymentSpec(options: PostgresOptions): types.input.apps.v1.DeploymentSpec {
  return {
    replicas: 1,
    // Pulling the image precedes the start.
    progressDeadlineSeconds: postgresStartSeconds + 600,
    strategy: { type: "Recreate" },
    selector: { matchLabels: selectorLabels(names.postgres) },
    template: {
      metadata: { labels: labels(names.postgres) },
      spec: {
        ...podDefaults(serviceAccounts.postgres),
        ...placementOf(options.placement),
        securityContext: podSecurityContext(userIds.postgres),
        containers: [postgresContainer(options)],
        volumes: [
          { name: "data", persistentVolumeClaim: { claimName: names.postgres } },
          { name: "run", emptyDir: {} },
          temporary.volume,
        ],
      },
    },
  };
}

/** Name of the container that prints the version of an image's PostgreSQL. */
export const postgresImageContainerName = "version";

/**
 * Returns the spec of the Job that proves that an image can be pulled and contains PostgreSQL: its termination message is
 * the version. If possible, it runs on the node of PostgreSQL's pod.
 */
export function postgresImageJobSpec(
  image: string,
  imagePullPolicy: string,
  placement: PlainPlacement = {},
): types.input.batch.v1.JobSpec {
  const nearPostgres = {
    labelSelector: { matchLabels: selectorLabels(names.postgres) },
    topologyKey: "kubernetes.io/hostname",
  };
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: 900,
    ttlSecondsAfterFinished: 600,
    template: {
      metadata: { labels: labels(names.postgresImageJob) },
      spec: {
        ...podDefaults(serviceAccounts.postgres),
        restartPolicy: "Never",
        securityContext: podSecurityContext(userIds.postgres),
        affinity: {
          podAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: nearPostgres }],
          },
        },
        ...placementOf(placement),
        containers: [
          {
            name: postgresImageContainerName,
            image,
            imagePullPolicy,
            command: ["sh", "-c", "postgres --version > /dev/termination-log"],
            resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
            securityContext: containerSecurityContext,
            terminationMessagePolicy: "FallbackToLogsOnError",
          },
        ],
      },
    },
  };
}

/** Returns the major version in the output of `postgres --version`; `undefined` for another text. */
export function majorOfVersion(text: string): number | undefined {
  const [, major] = /^postgres \(PostgreSQL\) (\d+)/.exec(text) ?? [];
  return major === undefined ? undefined : Number(major);
}

/**
 * Returns the major version that an image's tag begins with, such as 17 of `postgres:17.2-bookworm`; `undefined` without
 * one, such as for a date.
 */
export function majorOfTag(image: string): number | undefined {
  const [, major] = /:(\d{2})(?:[.-](?!0\d)[^:/]*)?$/.exec(image.replace(/@.*$/, "")) ?? [];
  return major === undefined ? undefined : Number(major);
}

/** Returns why an image can't replace the one of a running PostgreSQL; `undefined` if it can, or a version is unknown. */
export function majorVersionError(
  image: string,
  imageMajor: number | undefined,
  dataMajor: number | undefined,
): string | undefined {
  if (imageMajor === undefined || dataMajor === undefined || imageMajor === dataMajor) return undefined;
  return [
    `image ${image} contains PostgreSQL ${imageMajor}, which can't open the data of PostgreSQL ${dataMajor}; no changes were made to the database`,
    "To upgrade by dump and restore, see docs/how-to/upgrade-postgresql.md.",
    `To keep the version, run: pulumi config set postgresImage <image of PostgreSQL ${dataMajor}>`,
  ].join("\n");
}

/** Returns the spec of PostgreSQL's Service. */
export function postgresServiceSpec(): types.input.core.v1.ServiceSpec {
  return {
    selector: selectorLabels(names.postgres),
    ports: [{ name: "postgres", port: ports.postgres, targetPort: "postgres" }],
  };
}
