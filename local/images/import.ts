import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nameOf, withDigest } from "../../src/manifests/image-reference.ts";
import { containerdRoot, containerdSocket, pauseImage } from "../cluster/config.ts";
import { run } from "../cluster/run.ts";
import { buildah } from "./buildah.ts";

/** Number of images of one name that are kept. They share all layers but the last ones. */
export const keptImages = 24;

function ctr(...args: string[]): Promise<string> {
  return run("ctr", ["--address", containerdSocket, "--namespace", "k8s.io", ...args]);
}

/** A name of an image in the cluster. */
export interface NamedImage {
  readonly reference: string;
  /** Digest of its manifest, `sha256:…`. */
  readonly digest: string;
}

/** Returns the names of all images in the cluster. */
export async function clusterImages(): Promise<NamedImage[]> {
  const [, ...lines] = (await ctr("images", "list")).split("\n");
  const images: NamedImage[] = [];
  for (const line of lines) {
    const [reference, , digest] = line.split(/\s+/);
    if (reference && digest) images.push({ reference, digest });
  }
  return images;
}

/** Whether the cluster has an image. */
export async function hasImage(reference: string): Promise<boolean> {
  return (await clusterImages()).some((image) => image.reference === reference);
}

/** Returns the reference by digest of one of `images`, or `undefined` if it is not among them. */
function digestReference(images: readonly NamedImage[], reference: string): string | undefined {
  const image = images.find((each) => each.reference === reference);
  return image === undefined ? undefined : withDigest(reference, image.digest);
}

/** Whether the cluster has an image by tag and by digest. */
export async function hasBothNames(reference: string): Promise<boolean> {
  const images = await clusterImages();
  const byDigest = digestReference(images, reference);
  return images.some((image) => image.reference === byDigest);
}

/**
 * Adds the name by digest to an image of the cluster, as pulled images have it. Pods can then refer to the image by its
 * digest, and their status contains the digest.
 *
 * @throws If the cluster does not have the image.
 */
export async function nameByDigest(reference: string): Promise<void> {
  const images = await clusterImages();
  const byDigest = digestReference(images, reference);
  if (byDigest === undefined) throw new Error(`image ${reference} not found in the cluster`);
  if (!images.some((image) => image.reference === byDigest)) await ctr("images", "tag", reference, byDigest);
}

/** Returns the names by digest of images that have no tag left after `removed`. */
export function orphanedNames(images: readonly NamedImage[], removed: readonly string[]): string[] {
  const isByDigest = ({ reference, digest }: NamedImage) => reference.endsWith(`@${digest}`);
  const remaining = images.filter((image) => !isByDigest(image) && !removed.includes(image.reference));
  const hasTag = (name: NamedImage) =>
    remaining.some(({ reference, digest }) => digest === name.digest && nameOf(reference) === nameOf(name.reference));
  const digests = new Set(images.filter(({ reference }) => removed.includes(reference)).map(({ digest }) => digest));
  return images
    .filter((image) => isByDigest(image) && digests.has(image.digest) && !hasTag(image))
    .map(({ reference }) => reference);
}

/** The cluster's layers and manifests, by digest. */
const clusterBlobs = join(containerdRoot, "io.containerd.content.v1.content", "blobs", "sha256");

/**
 * Writes an OCI archive of an image without the layers that the cluster has: a new release of an app has one or two others.
 *
 * @param folder - Temporary folder of the archive.
 * @returns The archive's path.
 */
export async function exportImage(reference: string, folder: string): Promise<string> {
  const [layout, archive] = [join(folder, "layout"), join(folder, "image.tar")];
  const blobs = join(layout, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  // buildah doesn't write a layer again that its destination contains.
  const known = existsSync(clusterBlobs) ? readdirSync(clusterBlobs) : [];
  for (const digest of known) symlinkSync(join(clusterBlobs, digest), join(blobs, digest));
  await buildah(["push", "--quiet", "--disable-compression", reference, `oci:${layout}:${reference}`]);
  for (const entry of readdirSync(blobs, { withFileTypes: true }))
    if (entry.isSymbolicLink()) rmSync(join(blobs, entry.name));
  await run("tar", ["-cf", archive, "--directory", layout, "."]);
  return archive;
}

/**
 * Imports an archive into the cluster and deletes the archive.
 *
 * @param archive - Path of a docker or OCI archive with one image named `reference`. It may lack layers that the cluster has.
 */
export async function importArchive(archive: string, reference: string): Promise<void> {
  try {
    await ctr("images", "import", archive);
  } finally {
    rmSync(archive, { force: true });
  }
  if (!(await hasImage(reference))) throw new Error(`image ${reference} not found in ${archive}`);
}

/** Imports the sandbox image, which contains only the static `pause` program, unless the cluster has it. */
export async function importPauseImage(program: string): Promise<void> {
  if (await hasImage(pauseImage)) return;
  const folder = mkdtempSync(join(tmpdir(), "unity-pause-"));
  try {
    copyFileSync(program, join(folder, "pause"));
    await run("tar", ["-cf", "layer.tar", "pause"], { cwd: folder });
    const layer = createHash("sha256")
      .update(readFileSync(join(folder, "layer.tar")))
      .digest("hex");
    const config = {
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Entrypoint: ["/pause"], User: "65535:65535" },
      rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const manifest = [{ Config: "config.json", RepoTags: [pauseImage], Layers: ["layer.tar"] }];
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    await run("tar", ["-cf", "image.tar", "manifest.json", "config.json", "layer.tar"], { cwd: folder });
    await importArchive(join(folder, "image.tar"), pauseImage);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the references of the images that containers in the cluster use. */
export async function usedImages(): Promise<string[]> {
  const lines = (await ctr("containers", "list")).split("\n").slice(1);
  return lines.map((line) => line.split(/\s+/)[1] ?? "").filter((reference) => reference !== "");
}

/** Removes images from the cluster by all their names. Ignores missing images. */
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
 * Returns the references of one name that are neither among the newest {@link keptImages} nor in use.
 *
 * @param name - The images' name without tag.
 * @param used - References that are in use.
 */
export function supersededImages(images: readonly StoredImage[], name: string, used: readonly string[]): string[] {
  const newestFirst = [...images].sort((one, other) => other.createdatraw.localeCompare(one.createdatraw));
  const references = newestFirst
    .flatMap(({ names }) => names ?? [])
    .filter((reference) => reference.startsWith(`${name}:`));
  return references.slice(keptImages).filter((reference) => !used.includes(reference));
}
