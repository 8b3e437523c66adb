import * as pulumi from "@pulumi/pulumi";
import { Kubectl, KubectlError } from "../cluster/kubectl.ts";
import { fieldManager, names } from "../manifests/names.ts";
import type { Settings } from "../settings/settings.ts";
import type { Adoption } from "./adoption.ts";
import { type ManagedFields, type Manager, transferOwnership } from "./field-ownership.ts";

/** Managers of Kubernetes itself, which manage the revision and the status. */
const controllers = /^kube-controller-manager$/;
/** Managers whose fields the Kubernetes provider treats as its own earlier ones, and removes in a later update. */
const client = /^(kubectl|before-first-apply)/;
/** Attempts at an object that changes meanwhile. */
const attempts = 5;

/** Object with its managed fields. */
interface Managed {
  readonly metadata: { readonly resourceVersion: string; readonly managedFields?: readonly ManagedFields[] };
}

/** Transfer of an object's fields. */
interface Transfer {
  readonly to: Manager;
  readonly isTransferred: (entry: ManagedFields) => boolean;
}

const transfers: Readonly<Record<string, Transfer>> = {
  // To the stack: its own apply then removes what it does not declare.
  [`deployment/${names.backend}`]: {
    to: { manager: fieldManager, operation: "Apply" },
    isTransferred: ({ manager = "" }) => !controllers.test(manager),
  },
  // To a manager that never applies, so that the fields stay.
  [`service/${names.backend}`]: {
    to: { manager: "pulumi-alembic-kept", operation: "Update" },
    isTransferred: ({ manager = "" }) => client.test(manager),
  },
};

/**
 * Holds back a value of the backend's Deployment until existing objects are prepared for adoption.
 *
 * Preview prepares nothing, and the provider's dry run would add the stack's containers to the existing ones, which may
 * be an invalid pod: an unknown value prevents the dry run.
 */
export function afterAdoption<T>(settings: Settings, { objects }: Adoption, value: pulumi.Input<T>): pulumi.Output<T> {
  if (objects.length === 0) return pulumi.output(value) as pulumi.Output<T>;
  if (pulumi.runtime.isDryRun()) return pulumi.output(pulumi.unknown) as unknown as pulumi.Output<T>;
  const prepared = prepare(
    new Kubectl(settings, { report: pulumi.log.info }),
    objects.map(({ object }) => object),
  );
  return pulumi.all([value, prepared]).apply(([held]) => held) as pulumi.Output<T>;
}

/**
 * Transfers the ownership of existing objects' fields. Nothing else changes, so that it is harmless if the update ends
 * before it uses them.
 */
async function prepare(kubectl: Kubectl, objects: readonly string[]): Promise<void> {
  for (const object of objects) {
    const transfer = transfers[object];
    if (transfer !== undefined) await transferFields(kubectl, object, transfer);
  }
}

async function transferFields(kubectl: Kubectl, object: string, { to, isTransferred }: Transfer): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { metadata } = await kubectl.get<Managed>(object, "--show-managed-fields");
    const managedFields = transferOwnership(metadata.managedFields ?? [], to, isTransferred);
    if (managedFields === undefined) return;
    // With the version, so that no concurrent change is lost: the status may change at any time.
    const patch = { metadata: { resourceVersion: metadata.resourceVersion, managedFields } };
    try {
      await kubectl.run(["patch", object, "--type=merge", `--patch=${JSON.stringify(patch)}`]);
      return;
    } catch (error) {
      const isConflict = error instanceof KubectlError && error.kind === "conflict";
      if (attempt === attempts || !isConflict) throw error;
    }
  }
}
