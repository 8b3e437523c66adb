import * as pulumi from "@pulumi/pulumi";
import { Kubectl } from "../cluster/kubectl.ts";
import type { Settings } from "../settings/settings.ts";
import type { Adoption } from "./adoption.ts";
import { prepareAdoption } from "./field-ownership.ts";

/**
 * Holds a value of the backend's Deployment back until one that was set up by hand is prepared, so that it is taken over
 * as a whole.
 *
 * In preview nothing is prepared, and the provider's dry run would try the stack's containers beside the ones that are
 * there, which may be no valid pod: an unknown value keeps it from that.
 */
export function afterAdoption<T>(settings: Settings, { objects }: Adoption, value: pulumi.Input<T>): pulumi.Output<T> {
  if (objects.length === 0) return pulumi.output(value) as pulumi.Output<T>;
  if (pulumi.runtime.isDryRun()) return pulumi.output(pulumi.unknown) as unknown as pulumi.Output<T>;
  const prepared = prepareAdoption(
    new Kubectl(settings),
    objects.map(({ object }) => object),
  );
  return pulumi.all([value, prepared]).apply(([held]) => held) as pulumi.Output<T>;
}
