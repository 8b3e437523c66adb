import type { types } from "@pulumi/kubernetes";
import { cutAt } from "../lockfile/chain.ts";
import type { Lock } from "../lockfile/lock.ts";
import { contentHash } from "../plan/job-identity.ts";
import { sqlHash } from "../plan/plan-hash.ts";
import type { ApplicationRole } from "./database-secrets.ts";
import { type DatabaseTls, tlsMounts, tlsVariables } from "./database-tls.ts";
import { names } from "./names.ts";
import { containerSecurityContext, temporary } from "./security.ts";

/** How long each part of a migration may take, in seconds; each is shorter than the next. */
export interface Timeouts {
  /** How long one statement may wait for a lock on a table. */
  readonly lockTimeoutSeconds: number;
  /** How long one statement may run. */
  readonly statementTimeoutSeconds: number;
  /** How long the Job, all retries included, may run. */
  readonly deadlineSeconds: number;
  /** How long `up` waits for the Job. */
  readonly awaitTimeoutSeconds: number;
}

/** @returns The parts that are no whole seconds, or not longer than the part before; `bound` says than what. */
export function timeoutErrors(
  timeouts: Timeouts,
): readonly { readonly name: string; readonly seconds: number; readonly least: number; readonly bound: string }[] {
  const parts = Object.entries(timeouts) as [keyof Timeouts, number][];
  return parts.flatMap(([name, seconds], index) => {
    const [shorter, least] = parts[index - 1] ?? [undefined, 0];
    if (Number.isInteger(seconds) && seconds > least) return [];
    return [{ name, seconds, least, bound: shorter === undefined ? "0" : `${shorter}, which is ${least}` }];
  });
}

/** `upgrade`: migrate when behind. `wait`: only wait until the database is at head. */
export type InitContainerMode = "upgrade" | "wait";

/** What the runner does; `reach` also undoes what was applied since its target. */
export type RunnerMode = InitContainerMode | "reach";

/** Kubernetes' image pull policies; the first is the default for a tag other than `latest`. */
export const imagePullPolicies = ["IfNotPresent", "Always", "Never"] as const;

/** What the migrate container needs to know. */
export interface RunnerOptions {
  /** The backend's image that has the chain. */
  readonly image: string;
  /** `Always`, `IfNotPresent` or `Never`. */
  readonly imagePullPolicy: string;
  /** Name of the ConfigMap that holds the runner's files. */
  readonly configMapName: string;
  /** Secret with the URL of the role that the container logs in as. */
  readonly secretName: string;
  /** How long each part of a migration may take. */
  readonly timeouts: Timeouts;
  /**
   * The role that is given its rights.
   *
   * @defaultValue none: the role that migrates is the application's, too
   */
  readonly applicationRole?: ApplicationRole | undefined;
  /**
   * How sessions are encrypted.
   *
   * @defaultValue libpq's own: TLS where the server offers it, unverified
   */
  readonly tls?: DatabaseTls | undefined;
}

/** The folder of the runner's files in a container. */
export const runnerPath = "/opt/unity-runner";

/** Names of the files that say what chain an image has: the backend's, and the migrate Job's if it knows more. */
const chainFiles = { backend: "chain.json", migration: "migration-chain.json" } as const;

/** What the ConfigMap is made of. */
export interface RunnerFilesOptions {
  /** The whole chain. */
  readonly lock: Lock;
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
  /**
   * Revisions that the lock lacks and this release can run on all the same.
   *
   * @defaultValue none
   */
  readonly toleratedRevisions?: readonly string[];
  /**
   * Revision to bring the database to: the backend's image ends there.
   *
   * @defaultValue the lock's head
   */
  readonly targetRevision?: string | undefined;
}

/** Data of the ConfigMap that brings the runner, and what it expects of the image, into the image's container. */
export function runnerConfigMapData(options: RunnerFilesOptions): Record<string, string> {
  const { lock, runnerFiles, toleratedRevisions = [], targetRevision } = options;
  if (targetRevision === undefined)
    return { ...runnerFiles, [chainFiles.backend]: chainJson(lock, toleratedRevisions) };
  return {
    ...runnerFiles,
    [chainFiles.backend]: chainJson(cutAt(lock, targetRevision), toleratedRevisions),
    [chainFiles.migration]: chainJson(lock, toleratedRevisions),
  };
}

function chainJson(lock: Lock, toleratedRevisions: readonly string[]): string {
  const tolerated = toleratedRevisions.length > 0 ? { tolerated: toleratedRevisions } : {};
  const revisions = lock.revisions.map((revision) => {
    const { id, title, file, sha256, reversible, reversibleReason } = revision;
    return { id, title, file, sha256, sql: sqlHash(revision), reversible, reversibleReason };
  });
  return JSON.stringify({ heads: lock.heads, revisions, ...tolerated });
}

/** The ConfigMap's name: its content decides it, so that a changed runner is a new object and pods never see a mix. */
export function runnerConfigMapName(files: Record<string, string>, migrateJob: string = names.migrateJob): string {
  return `${migrateJob}-runner-${contentHash(files)}`;
}

/** The volume that {@link runnerContainer} mounts. */
export function runnerVolume(configMapName: string): types.input.core.v1.Volume {
  return { name: "runner", configMap: { name: configMapName } };
}

/** `DATABASE_URL` by reference: the value is in no manifest. */
export function databaseUrlVariable(secretName: string, name = "DATABASE_URL"): types.input.core.v1.EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: secretName, key: "DATABASE_URL" } } };
}

/** What the runner is told of the role that only reads and writes rows: its name as an argument, its URL by reference. */
function applicationRoleWords({ name, create }: ApplicationRole): string[] {
  return [`--application-role=${name}`, ...(create ? ["--create-application-role"] : [])];
}

/** What migrations use: `DATABASE_URL`, and where that leads to a connection pooler the direct one, if the Secret has it. */
export function migrationUrlVariables(secretName: string): types.input.core.v1.EnvVar[] {
  const key = "MIGRATION_DATABASE_URL";
  const direct = { name: key, valueFrom: { secretKeyRef: { name: secretName, key, optional: true } } };
  return [databaseUrlVariable(secretName), direct];
}

/**
 * The container that runs the runner inside the backend's image: the Job's only one, and the Deployment's init
 * container.
 *
 * @param targetRevision Where the Job brings the database, if not to the head of its image's chain.
 */
export function runnerContainer(
  mode: RunnerMode,
  options: RunnerOptions,
  targetRevision?: string,
): types.input.core.v1.Container {
  const { timeouts, applicationRole: role, tls } = options;
  const target = targetRevision === undefined ? [] : [`--target=${targetRevision}`];
  const chainFile = targetRevision === undefined ? chainFiles.backend : chainFiles.migration;
  return {
    name: "migrate",
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: ["python", `${runnerPath}/migrate.py`, mode],
    args: [
      `--chain=${runnerPath}/${chainFile}`,
      `--lock-timeout-seconds=${timeouts.lockTimeoutSeconds}`,
      `--statement-timeout-seconds=${timeouts.statementTimeoutSeconds}`,
      `--deadline-seconds=${timeouts.deadlineSeconds}`,
      ...target,
      ...(role === undefined ? [] : applicationRoleWords(role)),
    ],
    env: [
      ...migrationUrlVariables(options.secretName),
      ...(role === undefined ? [] : [databaseUrlVariable(role.secretName, "APPLICATION_DATABASE_URL")]),
      ...tlsVariables(tls),
      { name: "UNITY_IMAGE", value: options.image }, // for the run record: a container isn't told its own
      { name: "PYTHONUNBUFFERED", value: "1" },
      { name: "PYTHONDONTWRITEBYTECODE", value: "1" }, // the runner's folder is read-only
    ],
    resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "512Mi" } },
    securityContext: containerSecurityContext,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [{ name: "runner", mountPath: runnerPath, readOnly: true }, ...tlsMounts(tls), temporary.mount],
  };
}
