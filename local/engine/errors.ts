/** A fault of the stack's settings; the CLI's exit code for those is 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** @returns The error for what only the Pulumi CLI does. */
export function unsupported(what: string): Error {
  return new Error(`${what} is not supported by the embedded engine: use the Pulumi CLI`);
}
