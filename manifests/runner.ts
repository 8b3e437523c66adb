import type { types } from "@pulumi/kubernetes";
import { contentHash } from "../migrations/job-identity.ts";
import type { Lock } from "../migrations/lock.ts";
import { sqlHash } from "../migrations/plan-hash.ts";
import { names } from "./names.ts";
import { containerSecurityContext, temporary } from "./security.ts";

/** How long each part of a migration may take, in seconds; each is shorter than the next. */
export interface TimeBudget {
  /** How long one statement may wait for a lock on a table. */
  readonly lockTimeoutSeconds: number;
  /** How long one statement may run. */
  readonly statementTimeoutSeconds: number;
  /** How long the Job, all retries included, may run. */
  readonly deadlineSeconds: number;
  /** How long `up` waits for the Job. */
  readonly awaitTimeoutSeconds: number;
}

/** `upgrade`: migrate when behind. `wait`: only wait until the database is at head. */
export type RunnerMode = "upgrade" | "wait";

/** What the migrate container needs to know. */
export interface RunnerOptions {
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly configMapName: string;
  readonly secretName: string;
  readonly budget: TimeBudget;
}

const mountPath = "/opt/unity-runner";

/** Data of the ConfigMap that brings the runner, and what it expects of the image, into the image's container. */
export function runnerConfigMapData(
  lock: Lock,
  runnerFiles: Readonly<Record<string, string>>,
  toleratedRevisions: readonly string[] = [],
): Record<string, string> {
  const tolerated = toleratedRevisions.length > 0 ? { tolerated: toleratedRevisions } : {};
  const revisions = lock.revisions.map((revision) => {
    const { id, title, file, sha256, reversible, reversibleReason } = revision;
    return { id, title, file, sha256, sql: sqlHash(revision), reversible, reversibleReason };
  });
  return { ...runnerFiles, "chain.json": JSON.stringify({ heads: lock.heads, revisions, ...tolerated }) };
}

/** The ConfigMap's name: its content decides it, so that a changed runner is a new object and pods never see a mix. */
export function runnerConfigMapName(files: Record<string, string>): string {
  return `${names.migrateJob}-runner-${contentHash(files)}`;
}

/** The volume that {@link runnerContainer} mounts. */
export function runnerVolume(configMapName: string): types.input.core.v1.Volume {
  return { name: "runner", configMap: { name: configMapName } };
}

/** `DATABASE_URL` by reference: the value is in no manifest. */
export function databaseUrlVariable(secretName: string): types.input.core.v1.EnvVar {
  return { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: secretName, key: "DATABASE_URL" } } };
}

/** The URL that migrations use where `DATABASE_URL` leads to a connection pooler: the Secret may have it. */
function directUrlVariable(secretName: string): types.input.core.v1.EnvVar {
  const key = "MIGRATION_DATABASE_URL";
  return { name: key, valueFrom: { secretKeyRef: { name: secretName, key, optional: true } } };
}

/**
 * The container that runs the runner inside the backend's image: the Job's only one, and the Deployment's init
 * container.
 */
export function runnerContainer(mode: RunnerMode, options: RunnerOptions): types.input.core.v1.Container {
  const { budget } = options;
  return {
    name: "migrate",
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    command: ["python", `${mountPath}/migrate.py`, mode],
    args: [
      `--chain=${mountPath}/chain.json`,
      `--lock-timeout-seconds=${budget.lockTimeoutSeconds}`,
      `--statement-timeout-seconds=${budget.statementTimeoutSeconds}`,
      `--deadline-seconds=${budget.deadlineSeconds}`,
    ],
    env: [
      databaseUrlVariable(options.secretName),
      directUrlVariable(options.secretName),
      { name: "UNITY_IMAGE", value: options.image }, // for the run record: a container isn't told its own
      { name: "PYTHONUNBUFFERED", value: "1" },
      { name: "PYTHONDONTWRITEBYTECODE", value: "1" }, // the runner's folder is read-only
    ],
    resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "512Mi" } },
    securityContext: containerSecurityContext,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [{ name: "runner", mountPath, readOnly: true }, temporary.mount],
  };
}
