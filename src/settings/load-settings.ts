import * as pulumi from "@pulumi/pulumi";
import { parseSettings } from "./parse-settings.ts";
import { type ConfigSource, prefix } from "./reader.ts";
import type { Settings } from "./settings.ts";

/** Returns the configuration that Pulumi passes to the program. Nothing else reads `pulumi.Config`. */
function pulumiConfig(): ConfigSource {
  const config = new pulumi.Config(prefix.slice(0, -1));
  // The SDK has this function for its own warnings, without a declaration.
  const { isConfigSecret } = pulumi.runtime as { isConfigSecret?: (key: string) => boolean };
  return {
    keys: Object.keys(pulumi.runtime.allConfig()),
    get: (key) => pulumi.runtime.getConfig(key),
    isEncrypted: (key) => isConfigSecret?.(key) ?? true,
    secret: (key) => config.getSecret(key.slice(prefix.length)) ?? pulumi.secret(""),
  };
}

/**
 * Loads the settings of the stack.
 *
 * @throws {pulumi.RunError} If settings are invalid; the message lists all errors, each with its fix.
 */
export function loadSettings(): Settings {
  const { settings, errors } = parseSettings(pulumiConfig());
  if (errors.length > 0) throw new pulumi.RunError(`invalid stack configuration:\n  - ${errors.join("\n  - ")}`);
  return settings;
}
