import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { ApplicationRole } from "./database-secrets.ts";
import { type DatabaseTls, tlsMounts, tlsVariables } from "./database-tls.ts";
import { planAnnotation } from "./names.ts";
import type { OwnContainer } from "./pod-merge.ts";
import { chainFiles } from "./runner-files.ts";
import { containerSecurityContext, temporary } from "./security.ts";
import type { Timeouts } from "./timeouts.ts";

/** Task of the backend's init container: `upgrade` migrates if the database is behind; `wait` waits until it is at head. */
export type InitContainerMode = "upgrade" | "wait";

/** Task of the runner; `reach` also downgrades revisions above its target. */
export type RunnerMode = InitContainerMode | "reach";

/** Image pull policies of Kubernetes; the first is its default for tags other than `latest`. */
export const imagePullPolicies = ["IfNotPresent", "Always", "Never"] as const;

/** Options for the container that runs the runner. */
export interface RunnerOptions {
  /** Image that contains the app and its chain of revisions. */
  readonly image: string;
  /** Image pull policy: `Always`, `IfNotPresent`, or `Never`. */
  readonly imagePullPolicy: string;
  /** Name of the ConfigMap with the runner's files. */
  readonly configMapName: string;
  /** Secret with the URL of the role that the container logs in as. */
  readonly secretName: string;
  /** Timeouts of the migration. */
  readonly timeouts: Timeouts;
  /**
   * Role that the migration grants its privileges to.
   *
   * @defaultValue none: one role migrates and serves
   */
  readonly applicationRole?: ApplicationRole | undefined;
  /**
   * TLS settings of database sessions.
   *
   * @defaultValue unverified TLS if the server offers it
   */
  readonly tls?: DatabaseTls | undefined;
}

/** Names of the container that runs the runner, whose end decides on a migration, and of the volume with its files. */
export const runnerNames = { container: "migrate", volume: "runner" } as const;

/** Folder of the runner's files in a container. */
export const runnerPath = "/opt/migration-runner";

/** Returns the volume that {@link runnerContainer} mounts. */
export function runnerVolume(configMapName: string): types.input.core.v1.Volume {
  return { name: runnerNames.volume, configMap: { name: configMapName } };
}

/** Name of the variable with the plan. */
export const planVariableName = "MIGRATION_PLAN";

/** Variable with the pod's annotation; empty without one, as in pods that no plan precedes. */
const planVariable: types.input.core.v1.EnvVar = {
  name: planVariableName,
  valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${planAnnotation}']` } },
};

/** Returns a variable that refers to `DATABASE_URL` in a Secret. */
export function databaseUrlVariable(secretName: Input<string>, name = "DATABASE_URL"): types.input.core.v1.EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: secretName, key: "DATABASE_URL" } } };
}

/** Returns the URL variables of migrations: `DATABASE_URL`, and the direct URL if that points to a connection pooler. */
export function migrationUrlVariables(secretName: string): types.input.core.v1.EnvVar[] {
  const key = "MIGRATION_DATABASE_URL";
  const direct = { name: key, valueFrom: { secretKeyRef: { name: secretName, key, optional: true } } };
  return [databaseUrlVariable(secretName), direct];
}

function runnerArguments({ timeouts, applicationRole }: RunnerOptions, targetRevision: string | undefined): string[] {
  const chainFile = targetRevision === undefined ? chainFiles.backend : chainFiles.migration;
  const args = [
    `--chain=${runnerPath}/${chainFile}`,
    `--lock-timeout-seconds=${timeouts.lockTimeoutSeconds}`,
    `--statement-timeout-seconds=${timeouts.statementTimeoutSeconds}`,
    `--deadline-seconds=${timeouts.deadlineSeconds}`,
  ];
  if (targetRevision !== undefined) args.push(`--target=${targetRevision}`);
  if (applicationRole !== undefined) args.push(`--application-role=${applicationRole.name}`);
  if (applicationRole?.create) args.push("--create-application-role");
  return args;
}

function runnerVariables({ image, secretName, applicationRole, tls }: RunnerOptions): types.input.core.v1.EnvVar[] {
  const variables = migrationUrlVariables(secretName);
  if (applicationRole !== undefined)
    variables.push(databaseUrlVariable(applicationRole.secretName, "APPLICATION_DATABASE_URL"));
  variables.push(
    ...tlsVariables(tls),
    { name: "MIGRATION_IMAGE", value: image }, // for the run record: a container can't see its own image reference
    { name: "PYTHONUNBUFFERED", value: "1" },
    { name: "PYTHONDONTWRITEBYTECODE", value: "1" }, // the runner's folder is read-only
    planVariable,
  );
  return variables;
}

/**
 * Returns the container that runs the runner in the app's image: the migration Job's only container, and the
 * Deployment's init container.
 *
 * @param targetRevision - Revision to migrate the database to, instead of the head of the image's chain.
 */
export function runnerContainer(mode: RunnerMode, options: RunnerOptions, targetRevision?: string): OwnContainer {
  return {
    name: runnerNames.container,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: ["python", `${runnerPath}/migrate.py`, mode],
    args: runnerArguments(options, targetRevision),
    env: runnerVariables(options),
    resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "512Mi" } },
    securityContext: containerSecurityContext,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: runnerNames.volume, mountPath: runnerPath, readOnly: true },
      ...tlsMounts(options.tls),
      temporary.mount,
    ],
  };
}
