import { checkNames } from "../checks/names.ts";
import type { CheckTarget } from "../checks/result.ts";
import { unity } from "../manifests/app.ts";
import type { BackendOptions } from "../manifests/backend.ts";
import type { MigrationOptions } from "../manifests/migrate-job.ts";
import { names } from "../manifests/names.ts";
import { approvedIrreversible } from "../plan/approvals.ts";
import type { Settings } from "../settings/settings.ts";
import type { Chain } from "./release.ts";

/** Returns the options of a release's migration, for both its plan and its component. */
export function migrationOptions(settings: Settings, { lock, head, runnerFiles }: Chain): MigrationOptions {
  const { imagePullPolicy, timeouts, toleratedRevisions, allowDowngrade, restorePoint } = settings;
  const { pods, podSecurityStandard } = settings;
  const { applicationRole: name, databaseSecrets, database, databaseTls: tls } = settings;
  const create = database.kind === "owned";
  return {
    app: unity,
    image: settings.migrationImage ?? settings.image,
    imagePullPolicy,
    secretName: databaseSecrets.migrations,
    applicationRole: name === undefined ? undefined : { name, secretName: databaseSecrets.application, create },
    tls,
    timeouts,
    lock,
    runnerFiles,
    toleratedRevisions,
    targetRevision: lock.heads.includes(head) ? undefined : head,
    allowDowngrade,
    restorePointImage: restorePoint?.image,
    pod: pods.migration,
    podSecurityStandard,
  };
}

/** Returns the options of a release's backend, except for the names of other resources. */
export function backendOptions(
  settings: Settings,
  { head }: Pick<Chain, "head">,
): Omit<BackendOptions, "configMapName"> {
  const { image, imagePullPolicy, databaseSecrets, databaseTls, timeouts, toleratedRevisions } = settings;
  const { replicas, initContainer, rolloutTimeoutSeconds, pods, podSecurityStandard } = settings;
  return {
    app: unity,
    head,
    image,
    imagePullPolicy,
    secretName: databaseSecrets.application,
    tls: databaseTls,
    timeouts,
    toleratedRevisions,
    replicas,
    initContainer,
    progressDeadlineSeconds: rolloutTimeoutSeconds,
    pod: pods.backend,
    gate: pods.gate,
    podSecurityStandard,
  };
}

/** The settings that determine the checks of a release. None of them is secret. */
export interface CheckSettings
  extends Pick<
    Settings,
    "context" | "namespace" | "clusterTimeoutSeconds" | "toleratedRevisions" | "approvals" | "applicationRole"
  > {
  readonly database: Pick<Settings["database"], "kind">;
  /** @defaultValue none */
  readonly driftIgnore?: readonly string[];
}

/** Lockfile, workloads, and checks of Unity's release. */
export const unityTarget = {
  lockFile: "backend/migrations.lock.json",
  workloads: [names.backend],
  checks: checkNames,
} as const;

/** Returns the cluster and the expectations of a release's checks. */
export function checkTarget(settings: CheckSettings, { head }: Pick<Chain, "head">): CheckTarget {
  const { context, namespace, clusterTimeoutSeconds, toleratedRevisions, database, approvals } = settings;
  const { applicationRole, driftIgnore = [] } = settings;
  return {
    context,
    namespace,
    clusterTimeoutSeconds,
    head,
    toleratedRevisions,
    owned: database.kind === "owned",
    irreversible: approvedIrreversible(approvals),
    applicationRole,
    ...(driftIgnore.length > 0 && { driftIgnore }),
    ...unityTarget,
  };
}
