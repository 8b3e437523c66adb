const digestPattern = /@(sha256:[0-9a-f]{64})$/;

/** Returns the digest at the end of an image reference or a container's `imageID`, or `undefined` without one. */
export function digestOf(reference: string): string | undefined {
  return digestPattern.exec(reference)?.[1];
}

/** Returns the registry and repository of an image reference. */
export function nameOf(reference: string): string {
  return reference.replace(digestPattern, "").replace(/:[\w][\w.-]*$/, "");
}

/** Whether a repository has the path of another one, in the same registry or in a mirror, which may add a prefix. */
export function isMirror(name: string, original: string): boolean {
  const [first = "", ...others] = original.split("/");
  const path = others.length > 0 && /[.:]|^localhost$/.test(first) ? others.join("/") : original;
  return name === path || name.endsWith(`/${path}`);
}

/** Returns an image reference with a digest in place of its tag. */
export function withDigest(reference: string, digest: string): string {
  return `${nameOf(reference)}@${digest}`;
}

/** Whether two references name the same image: by digest, or by the same text without one. */
export function isSameImage(one: string, other: string): boolean {
  return (digestOf(one) ?? one) === (digestOf(other) ?? other);
}
