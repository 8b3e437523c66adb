// Public API for other Pulumi programs: `import { … } from "pulumi-alembic"`, see docs/how-to/adopt-in-ten-minutes.md.

export { BackendDeployment, type BackendDeploymentArgs } from "../../components/backend-deployment.ts";
export { clusterProvider } from "../../components/cluster-provider.ts";
export { createDatabase, type DatabaseArgs } from "../../components/database.ts";
export type { Database } from "../../components/database-secrets.ts";
export { ExternalDatabase, type ExternalDatabaseArgs } from "../../components/external-database.ts";
export { MigrationFleet, type MigrationFleetArgs } from "../../components/migration-fleet.ts";
export { MigrationJob, type MigrationJobArgs } from "../../components/migration-job.ts";
export type {
  DatabaseSecretReference,
  MigrationPlan,
  MigrationPlanArgs,
  MigrationPolicy,
  PlannedMigration,
} from "../../components/migration-plan.ts";
export { NetworkPolicies, type NetworkPoliciesArgs } from "../../components/network-policies.ts";
export { OwnedDatabase, type OwnedDatabaseArgs } from "../../components/owned-database.ts";
export { planMigration } from "../../components/plan-migration.ts";
export { PostDeployVerification, type PostDeployVerificationArgs } from "../../components/post-deploy-verification.ts";
export {
  type CommandCheck,
  type CommandOptions,
  type CustomCheck,
  command,
  type HttpCheck,
  type HttpOptions,
  http,
  type Json,
  type SqlCheck,
  type SqlOptions,
  sql,
} from "../checks/custom.ts";
export { type CheckName, checkNames, generalChecks } from "../checks/names.ts";
export type { CheckResult, CheckResults, CheckTarget, DeclaredRelease } from "../checks/result.ts";
export type { ClusterTarget } from "../cluster/kubectl.ts";
export type { FleetOptions, Tenant } from "../fleet/fleet.ts";
export { planFleet, type TenantAttempt } from "../fleet/plan.ts";
export type { Lock, LockedRevision } from "../lockfile/lock.ts";
export { type App, type MigratedApp, migratedApp, unity } from "../manifests/app.ts";
export type { BackendOptions } from "../manifests/backend.ts";
export type { MigrationInputs, MigrationOptions } from "../manifests/migrate-job.ts";
export type { ContainerConfig, Placement, PlainPodConfig, PodConfig } from "../manifests/pod-config.ts";
export type { InitContainerMode } from "../manifests/runner.ts";
export { namespaceLabels, type PodSecurityLevel } from "../manifests/security.ts";
export type { Timeouts } from "../manifests/timeouts.ts";
export type { JobAttempt } from "../plan/job-identity.ts";
export { type Chain, loadChain } from "../preflight/release.ts";
