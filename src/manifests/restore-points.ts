import type { types } from "@pulumi/kubernetes";
import { appLabels, type MigratedApp, restoreJobName, restorePointsClaim } from "./app.ts";
import { type DatabaseTls, tlsMounts, tlsVariables, tlsVolumes } from "./database-tls.ts";
import type { PlainPodConfig } from "./pod-config.ts";
import { type OwnPodSpec, withPodConfig } from "./pod-merge.ts";
import { migrationUrlVariables, runnerNames, runnerPath, runnerVolume } from "./runner.ts";
import { containerSecurityContext, podDefaults, podSecurityContext, temporary } from "./security.ts";

/** Options for containers that create and restore dumps. */
export interface RestorePointOptions {
  /** PostgreSQL image whose `pg_dump` is not older than the server. */
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Secret with the URL of the role that migrates. */
  readonly secretName: string;
  /** Time that the command may take. */
  readonly timeoutSeconds: number;
  /**
   * TLS settings of database sessions.
   *
   * @defaultValue unverified TLS if the server offers it
   */
  readonly tls?: DatabaseTls | undefined;
}

/** Options for a Job of `pulumi-alembic restore`. */
export interface RestoreJobOptions extends RestorePointOptions {
  /** App whose database is restored. */
  readonly app: MigratedApp;
  /**
   * Configuration of the pod, as that of the migration Job.
   *
   * @defaultValue what the project declares
   */
  readonly pod?: PlainPodConfig | undefined;
}

/** Command of the script; `list` prints a JSON array of restore points. */
export type RestorePointCommand =
  | { readonly verb: "take" }
  | { readonly verb: "list" }
  | { readonly verb: "restore"; readonly restorePoint: string };

/** Name of the script among the runner's files. */
export const restorePointFile = "restore-point.sh";

/** Name of the container that takes, lists, or restores restore points. */
export const restorePointContainerName = "restore-point";

const folder = "/restore-points";

/** Name of the volume with restore points in a pod. */
export const restorePointsVolumeName = "restore-points";

/** Returns the volume that {@link restorePointContainer} mounts, in addition to the runner's. */
export function restorePointsVolume(claimName: string): types.input.core.v1.Volume {
  return { name: restorePointsVolumeName, persistentVolumeClaim: { claimName } };
}

/** Returns the argument of a command. A new restore point is named after its pod, whose name starts with the Job's. */
function argumentOf(command: RestorePointCommand): string {
  switch (command.verb) {
    case "take":
      return "$(HOSTNAME)";
    case "list":
      return "";
    case "restore":
      return command.restorePoint;
  }
}

/** Returns the container that runs the script. */
export function restorePointContainer(
  command: RestorePointCommand,
  options: RestorePointOptions,
): types.input.core.v1.Container {
  return {
    name: restorePointContainerName,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: ["bash", `${runnerPath}/${restorePointFile}`, command.verb, argumentOf(command)],
    env: [
      ...migrationUrlVariables(options.secretName),
      ...tlsVariables(options.tls),
      { name: "HOSTNAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "RESTORE_POINTS", value: folder },
      { name: "RESTORE_POINT_TIMEOUT_SECONDS", value: String(options.timeoutSeconds) },
    ],
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "512Mi" } },
    securityContext: containerSecurityContext,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: runnerNames.volume, mountPath: runnerPath, readOnly: true },
      { name: restorePointsVolumeName, mountPath: folder },
      ...tlsMounts(options.tls),
      temporary.mount,
    ],
  };
}

/**
 * Returns the security context of a pod that mounts the {@link restorePointsVolume}. Otherwise, each mount would give the group
 * access to the dumps.
 */
export function restorePointSecurityContext(userId: number | "none"): types.input.core.v1.PodSecurityContext {
  return { ...podSecurityContext(userId), fsGroupChangePolicy: "OnRootMismatch" };
}

/** Returns the spec of the restore points' volume claim. */
export function restorePointsClaimSpec(storage: string): types.input.core.v1.PersistentVolumeClaimSpec {
  return { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } };
}

/** Time for pulling the image and starting the pod. */
const startSeconds = 300;

/** Returns the deadline of a Job of `pulumi-alembic restore`. */
export function restoreDeadlineSeconds({ timeoutSeconds }: RestorePointOptions): number {
  return timeoutSeconds + startSeconds;
}

/** Returns the spec of a Job of `pulumi-alembic restore`. It is never retried: a restore runs in one transaction. */
export function restoreJobSpec(
  command: RestorePointCommand,
  configMapName: string,
  options: RestoreJobOptions,
): types.input.batch.v1.JobSpec {
  const { app, pod = {} } = options;
  const metadata: types.input.meta.v1.ObjectMeta = {
    labels: { ...pod.labels, ...appLabels(app, restoreJobName(app)) },
  };
  if (pod.annotations !== undefined) metadata.annotations = { ...pod.annotations };
  const podSpec: OwnPodSpec = {
    ...podDefaults(app.accounts.migrations),
    restartPolicy: "Never",
    securityContext: restorePointSecurityContext(pod.userId ?? app.userId),
    containers: [restorePointContainer(command, options)],
    volumes: [
      runnerVolume(configMapName),
      restorePointsVolume(restorePointsClaim(app)),
      ...tlsVolumes(options.tls),
      temporary.volume,
    ],
  };
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: restoreDeadlineSeconds(options),
    template: { metadata, spec: withPodConfig(podSpec, pod) },
  };
}
