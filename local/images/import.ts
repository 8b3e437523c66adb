import { rmSync } from "node:fs";
import { containerdSocket } from "../cluster/config.ts";
import { run } from "../cluster/run.ts";

/** How many images of one name are kept in the cluster. */
const keptImages = 3;

function ctr(...args: string[]): Promise<string> {
  return run("ctr", ["--address", containerdSocket, "--namespace", "k8s.io", ...args]);
}

/** @returns The references of all images in the cluster. */
async function clusterImages(): Promise<string[]> {
  return (await ctr("images", "list", "--quiet")).split("\n").filter((line) => line !== "");
}

/** @returns Whether the cluster has an image. */
export async function hasImage(reference: string): Promise<boolean> {
  return (await clusterImages()).includes(reference);
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

/** Removes images from the cluster; one that isn't there is no error. */
export async function removeImages(references: readonly string[]): Promise<void> {
  if (references.length > 0) await ctr("images", "remove", ...references);
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
