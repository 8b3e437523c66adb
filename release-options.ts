import type { CheckTarget } from "./checks/result.ts";
import type { Chain } from "./load-chain.ts";
import type { BackendOptions } from "./manifests/backend.ts";
import type { MigrationOptions } from "./manifests/migrate-job.ts";
import { names } from "./manifests/names.ts";
import { approvedIrreversible } from "./migrations/approvals.ts";
import type { Settings } from "./settings.ts";

/** @returns What the migration of a release is made of, for the plan and for the component alike. */
export function migrationOptions(settings: Settings, { lock, head, runnerFiles }: Chain): MigrationOptions {
  const { imagePullPolicy, budget, toleratedRevisions, allowDowngrade, restorePoint } = settings;
  return {
    image: settings.migrationImage ?? settings.image,
    imagePullPolicy,
    secretName: names.databaseSecret,
    budget,
    lock,
    runnerFiles,
    toleratedRevisions,
    targetRevision: lock.heads.includes(head) ? undefined : head,
    allowDowngrade,
    restorePointImage: restorePoint?.image,
  };
}

/** @returns Where a release is checked, and what for. */
export function checkTarget(settings: Settings, { head }: Pick<Chain, "head">): CheckTarget {
  const { context, namespace, toleratedRevisions, database, approvals } = settings;
  const irreversible = approvedIrreversible(approvals);
  return { context, namespace, head, toleratedRevisions, owned: database.kind === "owned", irreversible };
}

/** @returns What the backend of a release is made of, but for the names of what is declared beside it. */
export function backendOptions(settings: Settings, chain: Chain): Omit<BackendOptions, "configMapName"> {
  const { image, toleratedRevisions, replicas, initContainer, rolloutTimeoutSeconds } = settings;
  const { imagePullPolicy, secretName, budget } = migrationOptions(settings, chain);
  return {
    image,
    imagePullPolicy,
    secretName,
    budget,
    toleratedRevisions,
    replicas,
    initContainer,
    progressDeadlineSeconds: rolloutTimeoutSeconds,
  };
}
