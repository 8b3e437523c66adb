import * as pulumi from "@pulumi/pulumi";
import { currentOwner } from "../cluster/current-owner.ts";
import { printable } from "../printable.ts";
import { parseSettings } from "./parse-settings.ts";
import type { ConfigSource } from "./reader.ts";
import type { Settings } from "./settings.ts";

/** Returns the configuration that Pulumi passes to the program. Nothing else reads it. */
function pulumiConfig(owner: string | undefined): ConfigSource {
  // The SDK has this function for its own warnings, without a declaration.
  const { isConfigSecret } = pulumi.runtime as { isConfigSecret?: (key: string) => boolean };
  return {
    keys: Object.keys(pulumi.runtime.allConfig()),
    owner,
    get: (key) => pulumi.runtime.getConfig(key),
    isEncrypted: (key) => isConfigSecret?.(key) ?? true,
    secret: (key) => pulumi.secret(pulumi.runtime.getConfig(key) ?? ""),
  };
}

/**
 * Loads the settings of the stack.
 *
 * @param owner - The stack's project and name, as `project/stack`.
 * @throws {pulumi.RunError} If settings are invalid; the message lists all errors, each with its fix.
 */
export function loadSettings(owner = currentOwner()): Settings {
  const { settings, errors } = parseSettings(pulumiConfig(owner));
  if (errors.length > 0)
    throw new pulumi.RunError(printable(`invalid stack configuration:\n  - ${errors.join("\n  - ")}`));
  return settings;
}
