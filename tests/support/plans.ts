import type { MigrationPlan } from "../../components/migration-plan.ts";
import type { MigrationInputs } from "../../src/manifests/migrate-job.ts";

/** Returns a plan of a first attempt. */
export function planOf(options: MigrationPlan["options"], inputs: MigrationInputs): MigrationPlan {
  return {
    context: "c",
    namespace: "unity",
    options,
    inputs,
    head: options.lock.heads[0] ?? "",
    attempt: 1,
    lockFile: "backend/migrations.lock.json",
    environment: "development",
    approvals: [],
    records: [],
  };
}
