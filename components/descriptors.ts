import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CheckTarget, DeclaredRelease } from "../src/checks/result.ts";
import { describe, describeLock, descriptorFiles, type MigrationDescriptor } from "../src/manifests/descriptor.ts";
import type { MigrationInputs } from "../src/manifests/migrate-job.ts";
import { appLabel, descriptorLabel } from "../src/manifests/names.ts";
import { objectMetadata } from "./children.ts";
import type { MigrationPlan } from "./migration-plan.ts";

/** Declares the ConfigMap from which commands read how an app is migrated. */
export function migrationDescriptor(
  name: string,
  plan: MigrationPlan,
  inputs: pulumi.Output<MigrationInputs>,
  options: pulumi.CustomResourceOptions,
): void {
  const { lock, runnerFiles: _, ...own } = plan.options;
  const { head, approvals, lockFile, ownsPostgres: owned = false } = plan;
  const migration: MigrationDescriptor = { options: own, head, approvals, lockFile, owned };
  const chain = describeLock(lock);
  const data = {
    ...chain.data,
    [descriptorFiles.migration]: describe(migration),
    [descriptorFiles.inputs]: inputs.apply(({ image, secretName, pod }) => JSON.stringify({ image, secretName, pod })),
  };
  const metadata = descriptorMetadata("migration", plan);
  new k8s.core.v1.ConfigMap(`${name}-descriptor`, { metadata, data, binaryData: chain.binaryData }, options);
}

/** Verification of an app, for commands. */
interface Verification {
  readonly checks: CheckTarget["checks"];
  readonly recentSeconds: number | undefined;
  readonly workloads: readonly pulumi.Input<string>[];
  readonly release: pulumi.Input<DeclaredRelease>;
}

/** Declares the ConfigMap from which commands read how an app is verified. */
export function verificationDescriptor(
  name: string,
  plan: MigrationPlan,
  { checks, recentSeconds, workloads, release }: Verification,
  options: pulumi.CustomResourceOptions,
): void {
  const data = {
    [descriptorFiles.verification]: describe({ checks, recentSeconds }),
    [descriptorFiles.workloads]: pulumi.jsonStringify(workloads),
    [descriptorFiles.release]: pulumi.jsonStringify(release),
  };
  new k8s.core.v1.ConfigMap(
    `${name}-descriptor`,
    { metadata: descriptorMetadata("verification", plan), data },
    options,
  );
}

function descriptorMetadata(part: "migration" | "verification", { options: { app }, namespace }: MigrationPlan) {
  const own = objectMetadata(`${app.partOf}-${part}`, namespace, app.migrateJob, app);
  return { ...own, labels: { ...own.labels, [appLabel]: app.partOf, [descriptorLabel]: part } };
}
