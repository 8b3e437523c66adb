import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { cutAt } from "../lockfile/chain.ts";
import { alembicOptions, type Lock, reviewedFiles } from "../lockfile/lock.ts";
import type { VersionTable } from "../lockfile/version-table.ts";
import { contentHash } from "../plan/job-identity.ts";
import { sqlHash } from "../plan/plan-hash.ts";
import type { ApplicationRole } from "./database-secrets.ts";
import { type DatabaseTls, tlsMounts, tlsVariables } from "./database-tls.ts";
import { names, planAnnotation } from "./names.ts";
import type { OwnContainer } from "./pod-merge.ts";
import { containerSecurityContext, temporary } from "./security.ts";

/** Timeouts of a migration in seconds. Those without a default are each shorter than the next. */
export interface Timeouts {
  /** Time that one statement may wait for a table lock. */
  readonly lockTimeoutSeconds: number;
  /** Time that one statement may take. */
  readonly statementTimeoutSeconds: number;
  /** Time that the migration may take once its container runs, including retries. */
  readonly deadlineSeconds: number;
  /** Time that `pulumi up` waits for the Job, without the times for its start and for a restore point. */
  readonly awaitTimeoutSeconds: number;
  /**
   * Time until the pod has a node, its volumes, and its image, and init containers of its configuration have ended, by which
   * the Job's deadline and the wait for it are extended.
   *
   * @defaultValue 600
   */
  readonly startTimeoutSeconds?: number | undefined;
  /**
   * Time that a restore point may take, by which the Job's deadline and the wait for it are extended; also that of a restore.
   *
   * @defaultValue 3600
   */
  readonly restorePointTimeoutSeconds?: number | undefined;
}

/** Default of {@link Timeouts.startTimeoutSeconds}. */
export const defaultStartTimeoutSeconds = 600;

/** Default of {@link Timeouts.restorePointTimeoutSeconds}. */
export const defaultRestorePointTimeoutSeconds = 3600;

/** Returns timeouts with defaults; the wait for a Job ends after its deadline. */
export function defaultTimeouts(given: Partial<Timeouts>): Timeouts {
  const { lockTimeoutSeconds = 5, statementTimeoutSeconds = 300, deadlineSeconds = 600 } = given;
  const { awaitTimeoutSeconds = deadlineSeconds + 60, startTimeoutSeconds, restorePointTimeoutSeconds } = given;
  return {
    lockTimeoutSeconds,
    statementTimeoutSeconds,
    deadlineSeconds,
    awaitTimeoutSeconds,
    startTimeoutSeconds,
    restorePointTimeoutSeconds,
  };
}

/** Timeouts of which each must be shorter than the next. */
const increasingTimeouts = [
  "lockTimeoutSeconds",
  "statementTimeoutSeconds",
  "deadlineSeconds",
  "awaitTimeoutSeconds",
] as const;

/** Timeout that is not an integer, not positive, or not greater than the one before it. */
interface TimeoutError {
  readonly name: keyof Timeouts;
  readonly seconds: number;
  /** Seconds that it must exceed. */
  readonly minimum: number;
  /** The same as text, with the timeout that sets it: `lockTimeoutSeconds (5)`. */
  readonly bound: string;
}

/** Returns the errors in a set of timeouts. */
export function timeoutErrors(timeouts: Timeouts): readonly TimeoutError[] {
  const errors: TimeoutError[] = [];
  let minimum = 0;
  let bound = "0";
  for (const name of increasingTimeouts) {
    const seconds = timeouts[name];
    if (!Number.isInteger(seconds) || seconds <= minimum) errors.push({ name, seconds, minimum, bound });
    minimum = seconds;
    bound = `${name} (${seconds})`;
  }
  for (const name of ["startTimeoutSeconds", "restorePointTimeoutSeconds"] as const) {
    const seconds = timeouts[name];
    if (seconds !== undefined && !(Number.isInteger(seconds) && seconds > 0))
      errors.push({ name, seconds, minimum: 0, bound: "0" });
  }
  return errors;
}

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

/** Files that describe the chain of an image: the backend's, and the migration Job's if that contains more revisions. */
const chainFiles = { backend: "chain.json", migration: "migration-chain.json" } as const;

/** Options for the ConfigMap with the runner's files. */
export interface RunnerFilesOptions {
  /** Lockfile of the whole chain. */
  readonly lock: Lock;
  /** Content of the runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
  /**
   * Revisions that the lockfile lacks and this release can run on.
   *
   * @defaultValue none
   */
  readonly toleratedRevisions?: readonly string[];
  /**
   * Revision to migrate the database to, where the chain of the backend's image ends.
   *
   * @defaultValue the lockfile's head
   */
  readonly targetRevision?: string | undefined;
}

/** Returns the data of the ConfigMap: the runner's files and the chain that it expects in the image. */
export function runnerConfigMapData(options: RunnerFilesOptions): Record<string, string> {
  const { lock, runnerFiles, toleratedRevisions = [], targetRevision } = options;
  const backendLock = targetRevision === undefined ? lock : cutAt(lock, targetRevision);
  const data: Record<string, string> = {
    ...runnerFiles,
    [chainFiles.backend]: chainJson(backendLock, toleratedRevisions),
  };
  if (targetRevision !== undefined) data[chainFiles.migration] = chainJson(lock, toleratedRevisions);
  return { ...data, ...versionTableFile(lock.versionTable) };
}

/** Returns the file with the name and, if there is one, the schema of Alembic's table, for programs that read no JSON. */
export function versionTableFile({ schema, name }: VersionTable): Record<string, string> {
  return { "version-table.txt": schema === null ? `${name}\n` : `${name}\n${schema}\n` };
}

function chainJson(lock: Lock, toleratedRevisions: readonly string[]): string {
  const revisions = lock.revisions.map((revision) => {
    const { id, title, reversible, reversibleReason, rollbackBlocker } = revision;
    const sql = { upgrade: sqlHash(revision, "upgrade"), downgrade: sqlHash(revision, "downgrade") };
    const { built, repaired } = revision.indexes;
    const indexes = built.length + repaired.length > 0 ? revision.indexes : undefined;
    return { id, title, files: reviewedFiles(revision), sql, reversible, reversibleReason, indexes, rollbackBlocker };
  });
  const tolerated = toleratedRevisions.length > 0 ? toleratedRevisions : undefined;
  const { heads, versionTable, files } = lock;
  return JSON.stringify({ heads, versionTable, files, revisions, tolerated, alembic: alembicOptions(lock) });
}

/** Returns the name of the ConfigMap. A hash of its content makes changed files a new object, so that pods never mix versions. */
export function runnerConfigMapName(files: Record<string, string>, migrateJob: string = names.migrateJob): string {
  return `${migrateJob}-runner-${contentHash(files)}`;
}

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
