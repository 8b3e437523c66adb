import type * as pulumi from "@pulumi/pulumi";

/**
 * Options of a component's child: its parent, and `own`, or else what the component itself waits for. Pulumi keeps a
 * component's `dependsOn` to the component; the children that come first have to be given it, the others follow them.
 */
export function childOptions(
  parent: pulumi.ComponentResource,
  options: pulumi.ComponentResourceOptions | undefined,
  own: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  return { parent, dependsOn: options?.dependsOn, ...own };
}
