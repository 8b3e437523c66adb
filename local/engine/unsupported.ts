/** @returns The error for what only the Pulumi CLI does. */
export function unsupported(what: string): Error {
  return new Error(`${what} is not supported by the embedded engine: use the Pulumi CLI`);
}
