import * as pulumi from "@pulumi/pulumi";

/**
 * Returns the stack that runs the program, as `project/stack`: it owns the objects that it declares.
 *
 * @returns `undefined` outside of an update.
 */
export function currentOwner(): string | undefined {
  const [project, stack] = [pulumi.getProject(), pulumi.getStack()];
  return project === "" || stack === "" ? undefined : `${project}/${stack}`;
}
