/** An error in the command line or the stack's configuration; exit code 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Returns the error for a feature of the Pulumi CLI that the engine lacks. */
export function unsupported(feature: string): Error {
  return new Error(`${feature} is not supported by the embedded engine: use the Pulumi CLI`);
}
