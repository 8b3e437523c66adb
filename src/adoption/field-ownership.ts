import type { Kubectl } from "../cluster/kubectl.ts";
import { fieldManager, names } from "../manifests/names.ts";
import { type ManagedFields, type Manager, transferOwnership } from "./managed-fields.ts";

/** Kubernetes' own, which keep the revision and the status. */
const controllers = /^kube-controller-manager$/;
/** Managers whose fields the Kubernetes provider takes for earlier hands of its own, and removes in a later update. */
const client = /^(kubectl|before-first-apply)/;
/** How often an object that changes meanwhile is read anew. */
const attempts = 5;

/** What is read of an object. */
interface Managed {
  readonly metadata: { readonly resourceVersion: string; readonly managedFields?: readonly ManagedFields[] };
}

/** Objects whose fields are handed over: to whom, and which managers' they are. */
const handed: Readonly<Record<string, { readonly to: Manager; readonly isGiven: (entry: ManagedFields) => boolean }>> =
  {
    [`deployment/${names.backend}`]: {
      to: { manager: fieldManager, operation: "Apply" },
      isGiven: ({ manager = "" }) => !controllers.test(manager),
    },
    [`service/${names.backend}`]: {
      to: { manager: "unity-kept", operation: "Update" },
      isGiven: ({ manager = "" }) => client.test(manager),
    },
  };

/**
 * Prepares the take-over of what was set up by hand: hands the Deployment's fields to the stack, so that those that it
 * doesn't declare go with its own apply, at once; and the Service's to nobody, so that they stay. Neither object
 * changes but for whose its fields are, so that it does no harm where the update ends before it uses it.
 *
 * @param objects Those that are taken over, such as `deployment/unity-backend`.
 * @throws {Error} With what kubectl says.
 */
export async function prepareAdoption(kubectl: Kubectl, objects: readonly string[]): Promise<void> {
  for (const object of objects) {
    const rule = handed[object];
    if (rule !== undefined) await hand(kubectl, object, rule.to, rule.isGiven);
  }
}

async function hand(kubectl: Kubectl, object: string, to: Manager, isGiven: (entry: ManagedFields) => boolean) {
  for (let attempt = 1; ; attempt++) {
    const { metadata } = await kubectl.get<Managed>(object, "--show-managed-fields");
    const managedFields = transferOwnership(metadata.managedFields ?? [], to, isGiven);
    if (managedFields === undefined) return;
    // With the version, so that nothing is lost that happens meanwhile: its status may change at any time.
    const patch = { metadata: { resourceVersion: metadata.resourceVersion, managedFields } };
    try {
      await kubectl.run(["patch", object, "--type=merge", `--patch=${JSON.stringify(patch)}`]);
      return;
    } catch (error) {
      if (attempt === attempts || !/Conflict|has been modified/.test(String(error))) throw error;
    }
  }
}
