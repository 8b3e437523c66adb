/** The annotation with which the Kubernetes provider does not wait for an object. */
const annotation = "pulumi.com/skipAwait";

/**
 * Metadata of an object that needs no wait: a Service's takes the provider 10 s whatever happens, and a claim that
 * waits for its first consumer is never bound before the Deployment which the wait would hold up.
 */
export function skipAwait<T extends object>(metadata: T): T & { annotations: Record<string, string> } {
  return { ...metadata, annotations: { [annotation]: "true" } };
}
