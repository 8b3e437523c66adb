const digestPattern = /@(sha256:[0-9a-f]{64})$/;

/** @returns The digest that an image reference, or a container's `imageID`, ends with; `undefined` if it has none. */
export function digestOf(reference: string): string | undefined {
  return digestPattern.exec(reference)?.[1];
}

/** @returns A reference without tag and digest: registry and repository. */
export function nameOf(reference: string): string {
  return reference.replace(digestPattern, "").replace(/:[\w][\w.-]*$/, "");
}

/** @returns A reference by its digest, without any tag. */
export function withDigest(reference: string, digest: string): string {
  return `${nameOf(reference)}@${digest}`;
}
