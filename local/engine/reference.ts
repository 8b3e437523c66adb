import { existsSync } from "node:fs";
import { ConfigError, keyring } from "./secrets.ts";
import type { Stack } from "./stack.ts";
import { StateFile } from "./state-file.ts";
import type { Properties } from "./values.ts";

/** The type of a reference to a stack, which the engine itself answers. */
export const stackReferenceType = "pulumi:pulumi:StackReference";

/** Reads a stack's outputs, secrets wrapped. @throws {ConfigError} If there is none of that name. */
export type ReadOutputs = (reference: string) => Promise<Properties>;

/**
 * @param reference `<stack>`, `<project>/<stack>` or `<organization>/<project>/<stack>`.
 * @returns The stack's name. @throws {ConfigError} If it is another project's or organization's.
 */
function stackNameOf(reference: string, project: string): string {
  const parts = reference.split("/");
  const [name = "", ofProject = project, organization = "organization", ...more] = parts.reverse();
  if (more.length > 0 || name === "" || ofProject !== project || organization !== "organization")
    throw new ConfigError(
      `no stack can be called "${reference}" here: name it <stack>, or organization/${project}/<stack>`,
    );
  return name;
}

/**
 * @param isUpdating Whether the stack's own program asks.
 * @returns What reads the outputs of the stacks whose states lie where `stack`'s does. Secrets are opened only where the
 * outputs hold any: they are encrypted with the passphrase of that stack.
 */
export function outputsReader(stack: Stack, isUpdating = false): ReadOutputs {
  return async (reference) => {
    const name = stackNameOf(reference, stack.project.name);
    const isOwn = name === stack.name;
    const path = isOwn ? stack.file.path : stack.stateOf(name);
    if (path === undefined)
      throw new ConfigError(`unknown stack "${reference}": say where states lie by {stack} in the path of --state`);
    if (!existsSync(path) && isOwn && isUpdating) return {}; // This is its first update.
    if (!existsSync(path)) throw new ConfigError(`unknown stack "${reference}": there is no state ${path}`);
    return new StateFile(path, keyring()).outputs();
  };
}
