import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { withLock } from "../cluster/lock.ts";
import { withProgress } from "../cluster/progress.ts";
import { ensureRootImage, type RootFileSystem, rootReference } from "./base.ts";
import { buildah, isBuilt } from "./buildah.ts";
import { contextHash } from "./context.ts";
import {
  hasBothNames,
  hasImage,
  importArchive,
  nameByDigest,
  removeImages,
  type StoredImage,
  superseded,
  usedImages,
} from "./import.ts";
import { withPipSettings } from "./pip.ts";

/** What an image is built from. */
export interface Build {
  /** The image's name without registry and tag. */
  readonly name: string;
  /** The folder with the Dockerfile. */
  readonly context: string;
  /** What stands for `BASE` in the Dockerfile. */
  readonly base: RootFileSystem;
}

/** @returns The reference of what a build makes: its tag is a hash of its inputs. */
function buildReference({ name, context, base }: Build): string {
  const hash = createHash("sha256").update(rootReference(base)).update(contextHash(context)).digest("hex");
  return `localhost/${name}:${hash.slice(0, 12)}`;
}

/** Does work on images while no other process does. */
const alone = <T>(work: () => Promise<T>) => withLock(cachePath("images", "lock"), work);

/** Builds an image from a Dockerfile, unless the project's storage has it. */
async function buildImage(build: Build, reference: string): Promise<void> {
  if (await isBuilt(reference)) return;
  const base = await ensureRootImage(build.base);
  const args = ["bud", "--layers", "--network", "host", "--format", "docker", "--build-arg", `BASE=${base}`];
  await withProgress(`Building image ${reference}`, (say) =>
    withPipSettings((mounts) =>
      buildah([...args, ...mounts, "--tag", reference, build.context], (line) => say(line.slice(0, 70))),
    ),
  );
}

/**
 * Sees to it that the cluster has the image of a build, by its tag and by its digest: builds and imports it if needed.
 * @returns Its reference.
 */
export async function ensureImage(build: Build): Promise<string> {
  const reference = buildReference(build);
  if (!(await hasBothNames(reference))) await alone(() => bringImage(build, reference));
  return reference;
}

/** Builds an image and imports it into the cluster, unless the lock's last holder has, and names it by its digest. */
async function bringImage(build: Build, reference: string): Promise<void> {
  if (!(await hasImage(reference))) await importImage(build, reference);
  await nameByDigest(reference);
}

async function importImage(build: Build, reference: string): Promise<void> {
  await buildImage(build, reference);
  const folder = mkdtempSync(cachePath("images", "export-"));
  try {
    await withProgress(`Importing image ${reference} into the cluster`, async () => {
      const archive = join(folder, "image.tar");
      await buildah(["push", "--quiet", reference, `docker-archive:${archive}:${reference}`]);
      await importArchive(archive, reference);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await dropSuperseded(build.name, reference);
}

/**
 * Removes images of one name that are neither among the newest nor in use, from the storage and from the cluster.
 *
 * @param current The one that was just brought: made of kept layers, it may be as old as they are.
 */
async function dropSuperseded(name: string, current: string): Promise<void> {
  const images = JSON.parse(await buildah(["images", "--json"])) as StoredImage[];
  const old = superseded(images, `localhost/${name}`, [current, ...(await usedImages())]);
  for (const reference of old) await buildah(["rmi", reference]);
  await removeImages(old);
}

/** Removes all images of one name, from the storage and from the cluster. */
export async function removeImagesOf(name: string): Promise<void> {
  await alone(async () => {
    const images = JSON.parse(await buildah(["images", "--json"])) as StoredImage[];
    const references = images.flatMap(({ names }) => names ?? []);
    const own = references.filter((reference) => reference.startsWith(`localhost/${name}:`));
    for (const reference of own) await buildah(["rmi", reference]);
    await removeImages(own);
  });
}
