// What other Pulumi programs use: `import { … } from "unity-migrations"`. docs/how-to/use-in-your-own-program.md
export { type CheckName, checkNames, generalChecks } from "./checks/names.ts";
export type { CheckResult, CheckResults, CheckTarget } from "./checks/result.ts";
export type { ClusterTarget } from "./cluster/kubectl.ts";
export { BackendDeployment, type BackendDeploymentArgs } from "./components/backend-deployment.ts";
export { clusterProvider } from "./components/cluster-provider.ts";
export {
  createDatabase,
  type Database,
  type DatabaseArgs,
  ExternalDatabase,
  type ExternalDatabaseArgs,
  OwnedDatabase,
  type OwnedDatabaseArgs,
} from "./components/database.ts";
export { MigrationFleet, type MigrationFleetArgs } from "./components/migration-fleet.ts";
export { MigrationJob, type MigrationJobArgs } from "./components/migration-job.ts";
export { PostDeployVerification, type PostDeployVerificationArgs } from "./components/post-deploy-verification.ts";
export { type App, unity } from "./manifests/app.ts";
export type { BackendOptions } from "./manifests/backend.ts";
export type { FleetOptions, Tenant } from "./manifests/fleet.ts";
export type { MigrationOptions } from "./manifests/migrate-job.ts";
export type { InitContainerMode, TimeBudget } from "./manifests/runner.ts";
export type { TenantAttempt } from "./migrations/fleet-plan.ts";
export type { JobAttempt } from "./migrations/job-identity.ts";
export type { Lock, LockedRevision } from "./migrations/lock.ts";
export { type Chain, loadChain } from "./release/load-chain.ts";
export { planFleet, planMigration } from "./update/fleet-plan.ts";
