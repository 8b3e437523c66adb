import type { CheckTarget } from "../checks/result.ts";
import type { BackendOptions } from "../manifests/backend.ts";
import type { MigrationOptions } from "../manifests/migrate-job.ts";
import { approvedIrreversible } from "../plan/approvals.ts";
import type { Settings } from "../settings/settings.ts";
import type { Chain } from "./load-chain.ts";

/** Returns the options of a release's migration, for both its plan and its component. */
export function migrationOptions(settings: Settings, { lock, head, runnerFiles }: Chain): MigrationOptions {
  const { imagePullPolicy, timeouts, toleratedRevisions, allowDowngrade, restorePoint } = settings;
  const { applicationRole: name, databaseSecrets, database, databaseTls: tls } = settings;
  const create = database.kind === "owned";
  return {
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
  };
}

/** Returns the cluster and the expectations of a release's checks. */
export function checkTarget(settings: Settings, { head }: Pick<Chain, "head">): CheckTarget {
  const { context, namespace, toleratedRevisions, database, approvals, applicationRole } = settings;
  const irreversible = approvedIrreversible(approvals);
  const owned = database.kind === "owned";
  return { context, namespace, head, toleratedRevisions, owned, irreversible, applicationRole };
}

/** Returns the options of a release's backend, except for the names of other resources. */
export function backendOptions(settings: Settings, chain: Chain): Omit<BackendOptions, "configMapName"> {
  const { image, toleratedRevisions, replicas, initContainer, rolloutTimeoutSeconds } = settings;
  const { imagePullPolicy, timeouts, tls } = migrationOptions(settings, chain);
  return {
    image,
    imagePullPolicy,
    secretName: settings.databaseSecrets.application,
    timeouts,
    tls,
    toleratedRevisions,
    replicas,
    initContainer,
    progressDeadlineSeconds: rolloutTimeoutSeconds,
  };
}
