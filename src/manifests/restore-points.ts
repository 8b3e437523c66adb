import type { types } from "@pulumi/kubernetes";
import { type DatabaseTls, tlsMounts, tlsVariables, tlsVolumes } from "./database-tls.ts";
import { labels, names, serviceAccounts } from "./names.ts";
import { migrationUrlVariables, runnerPath, runnerVolume } from "./runner.ts";
import { containerSecurityContext, podDefaults, podSecurityContext, temporary, userIds } from "./security.ts";

/** What makes restore points, and brings them back. */
export interface RestorePointOptions {
  /** PostgreSQL image whose `pg_dump` is not older than the server. */
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Secret with the database's URL, of the role that migrates. */
  readonly secretName: string;
  /**
   * How sessions are encrypted.
   *
   * @defaultValue libpq's own: TLS where the server offers it, unverified
   */
  readonly tls?: DatabaseTls | undefined;
}

/** What the script does; `list` prints a JSON array of restore points. */
export type RestorePointCommand =
  | { readonly verb: "take" }
  | { readonly verb: "list" }
  | { readonly verb: "restore"; readonly restorePoint: string };

/** The script, among the runner's files. */
export const restorePointFile = "restore-point.sh";

const folder = "/restore-points";

/** The volume that {@link restorePointContainer} mounts beside the runner's. */
export const restorePointsVolume = {
  name: "restore-points",
  persistentVolumeClaim: { claimName: names.restorePoints },
} satisfies types.input.core.v1.Volume;

/** The container that runs the script. Taken is a restore point by the name of the pod, which starts with the Job's. */
export function restorePointContainer(
  command: RestorePointCommand,
  options: RestorePointOptions,
): types.input.core.v1.Container {
  const argument = { take: "$(HOSTNAME)", list: "", restore: command.verb === "restore" ? command.restorePoint : "" };
  return {
    name: "restore-point",
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: ["bash", `${runnerPath}/${restorePointFile}`, command.verb, argument[command.verb]],
    env: [
      ...migrationUrlVariables(options.secretName),
      ...tlsVariables(options.tls),
      { name: "HOSTNAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "RESTORE_POINTS", value: folder },
    ],
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "512Mi" } },
    securityContext: containerSecurityContext,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: "runner", mountPath: runnerPath, readOnly: true },
      { name: restorePointsVolume.name, mountPath: folder },
      ...tlsMounts(options.tls),
      temporary.mount,
    ],
  };
}

/** Spec of the claim that keeps the restore points. */
export function restorePointsClaimSpec(storage: string): types.input.core.v1.PersistentVolumeClaimSpec {
  return { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } };
}

/** How long a Job of `unity restore` may take, in seconds. */
export const restoreDeadlineSeconds = 3600;

/** Spec of a Job of `unity restore`. It is never tried again by itself: a restore is all or nothing. */
export function restoreJobSpec(
  command: RestorePointCommand,
  configMapName: string,
  options: RestorePointOptions,
): types.input.batch.v1.JobSpec {
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: restoreDeadlineSeconds,
    template: {
      metadata: { labels: labels(names.restoreJob) },
      spec: {
        ...podDefaults(serviceAccounts.migrations),
        restartPolicy: "Never",
        securityContext: podSecurityContext(userIds.backend),
        containers: [restorePointContainer(command, options)],
        volumes: [runnerVolume(configMapName), restorePointsVolume, ...tlsVolumes(options.tls), temporary.volume],
      },
    },
  };
}
