import { rmSync } from "node:fs";
import { nameOf, withDigest } from "../../src/manifests/image-reference.ts";
import { containerdSocket } from "../cluster/config.ts";
import { run } from "../cluster/run.ts";

/** How many images of one name are kept in the cluster: they share all layers but the last ones. */
const keptImages = 12;

function ctr(...args: string[]): Promise<string> {
  return run("ctr", ["--address", containerdSocket, "--namespace", "k8s.io", ...args]);
}

/** A name of an image in the cluster. */
export interface NamedImage {
  readonly reference: string;
  /** `sha256:…`, of its manifest. */
  readonly digest: string;
}

/** @returns The names of all images in the cluster. */
export async function clusterImages(): Promise<NamedImage[]> {
  const [, ...lines] = (await ctr("images", "list")).split("\n");
  return lines.flatMap((line) => {
    const [reference, , digest] = line.split(/\s+/);
    return reference && digest ? [{ reference, digest }] : [];
  });
}

/** @returns Whether the cluster has an image. */
export async function hasImage(reference: string): Promise<boolean> {
  return (await clusterImages()).some((image) => image.reference === reference);
}

/** @returns The name by digest of one of `images`, and whether it is among them; `undefined` if the image isn't there. */
function byDigest(images: readonly NamedImage[], reference: string): { name: string; isThere: boolean } | undefined {
  const image = images.find((each) => each.reference === reference);
  if (image === undefined) return undefined;
  const name = withDigest(reference, image.digest);
  return { name, isThere: images.some((each) => each.reference === name) };
}

/** @returns Whether the cluster has an image by its tag and by its digest. */
export async function hasBothNames(reference: string): Promise<boolean> {
  return byDigest(await clusterImages(), reference)?.isThere ?? false;
}

/**
 * Names an image of the cluster by its digest, too, as one that was pulled from a registry is: pods may then ask for it
 * by its digest, and the cluster tells which digest they run.
 *
 * @throws {Error} If the cluster hasn't the image.
 */
export async function nameByDigest(reference: string): Promise<void> {
  const found = byDigest(await clusterImages(), reference);
  if (found === undefined) throw new Error(`the cluster has no image ${reference}`);
  if (!found.isThere) await ctr("images", "tag", reference, found.name);
}

/** @returns The names by digest that go with `removed`: no tag of theirs is left. */
export function orphanedNames(images: readonly NamedImage[], removed: readonly string[]): string[] {
  const isByDigest = ({ reference, digest }: NamedImage) => reference.endsWith(`@${digest}`);
  const left = images.filter((image) => !isByDigest(image) && !removed.includes(image.reference));
  const hasTag = (name: NamedImage) =>
    left.some(({ reference, digest }) => digest === name.digest && nameOf(reference) === nameOf(name.reference));
  const going = new Set(images.filter(({ reference }) => removed.includes(reference)).map(({ digest }) => digest));
  return images
    .filter((image) => isByDigest(image) && going.has(image.digest) && !hasTag(image))
    .map(({ reference }) => reference);
}

/**
 * Imports an archive into the cluster and removes the archive.
 * @param archive Path of a docker or OCI archive whose one image is named `reference`.
 */
export async function importArchive(archive: string, reference: string): Promise<void> {
  try {
    await ctr("images", "import", archive);
  } finally {
    rmSync(archive, { force: true });
  }
  if (!(await hasImage(reference))) throw new Error(`${archive} holds no image ${reference}`);
}

/** @returns The references of the images that containers in the cluster were made from. */
export async function usedImages(): Promise<string[]> {
  const lines = (await ctr("containers", "list")).split("\n").slice(1);
  return lines.map((line) => line.split(/\s+/)[1] ?? "").filter((reference) => reference !== "");
}

/** Removes images from the cluster, by their digests too; one that isn't there is no error. */
export async function removeImages(references: readonly string[]): Promise<void> {
  if (references.length === 0) return;
  await ctr("images", "remove", ...references, ...orphanedNames(await clusterImages(), references));
}

/** An image as `buildah images --json` prints it. */
export interface StoredImage {
  readonly names?: readonly string[] | null;
  /** RFC 3339. */
  readonly createdatraw: string;
}

/**
 * @param name The images' name without tag.
 * @param used References that are in use.
 * @returns The references that may go: all of that name but the newest {@link keptImages} and those in use.
 */
export function superseded(images: readonly StoredImage[], name: string, used: readonly string[]): string[] {
  return [...images]
    .sort((one, other) => other.createdatraw.localeCompare(one.createdatraw))
    .flatMap((image) => image.names ?? [])
    .filter((reference) => reference.startsWith(`${name}:`))
    .slice(keptImages)
    .filter((reference) => !used.includes(reference));
}
