// What other Pulumi programs use: `import { … } from "unity-migrations"`. docs/how-to/use-in-your-own-program.md

export { BackendDeployment, type BackendDeploymentArgs } from "../../components/backend-deployment.ts";
export { clusterProvider } from "../../components/cluster-provider.ts";
export {
  createDatabase,
  type Database,
  type DatabaseArgs,
  ExternalDatabase,
  type ExternalDatabaseArgs,
  OwnedDatabase,
  type OwnedDatabaseArgs,
} from "../../components/database.ts";
export { MigrationFleet, type MigrationFleetArgs } from "../../components/migration-fleet.ts";
export { MigrationJob, type MigrationJobArgs } from "../../components/migration-job.ts";
export { PostDeployVerification, type PostDeployVerificationArgs } from "../../components/post-deploy-verification.ts";
export { type CheckName, checkNames, generalChecks } from "../checks/names.ts";
export type { CheckResult, CheckResults, CheckTarget } from "../checks/result.ts";
export type { ClusterTarget } from "../cluster/kubectl.ts";
export type { TenantAttempt } from "../fleet/attempts.ts";
export type { FleetOptions, Tenant } from "../fleet/options.ts";
export { planFleet, planMigration } from "../fleet/plan.ts";
export type { Lock, LockedRevision } from "../lockfile/lock.ts";
export { type App, unity } from "../manifests/app.ts";
export type { BackendOptions } from "../manifests/backend.ts";
export type { MigrationOptions } from "../manifests/migrate-job.ts";
export type { InitContainerMode, Timeouts } from "../manifests/runner.ts";
export type { JobAttempt } from "../plan/job-identity.ts";
export { type Chain, loadChain } from "../preflight/release.ts";
