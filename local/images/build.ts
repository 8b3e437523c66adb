import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cachePath, projectRoot } from "../../src/paths.ts";
import { withLock } from "../cluster/lock.ts";
import { withProgress } from "../cluster/progress.ts";
import { ensureRootImage, postgresBase, pythonBase, type RootFileSystem, rootReference } from "./base.ts";
import { buildah, isBuilt } from "./buildah.ts";
import { contextHash } from "./context.ts";
import {
  exportImage,
  hasBothNames,
  hasImage,
  importArchive,
  nameByDigest,
  removeImages,
  type StoredImage,
  supersededImages,
  usedImages,
} from "./import.ts";
import { withPipSettings } from "./pip.ts";

/** The inputs of an image. */
export interface Build {
  /** The image's name without registry and tag. */
  readonly name: string;
  /** Folder of the Dockerfile. */
  readonly context: string;
  /** Root file system that replaces the image of the Dockerfile's first `FROM`. */
  readonly base: RootFileSystem;
}

/** The build of the database's image. */
export const postgresBuild: Build = {
  name: "unity-postgres",
  context: join(import.meta.dirname, "postgres"),
  base: postgresBase,
};

/**
 * Returns the build of the backend's image or of a variant.
 *
 * @param name - The image's name. The newest images of a name are kept.
 * @param context - Folder of the Dockerfile.
 */
export function backendBuild(name = "unity-backend", context = join(projectRoot, "backend")): Build {
  return { name, context, base: pythonBase };
}

/** Returns the reference of a build's image, which may not exist yet. Its tag is a hash of the inputs. */
export function buildReference({ name, context, base }: Build): string {
  const hash = createHash("sha256").update(rootReference(base)).update(contextHash(context)).digest("hex");
  return `localhost/${name}:${hash.slice(0, 12)}`;
}

/** Runs `work` while no other process changes images. */
function withImageLock<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return withLock(cachePath("images", "lock"), work, signal);
}

/**
 * Builds images, unless the project's storage contains them. Does not need the cluster.
 *
 * @param signal - Cancels the builds.
 */
export async function buildImages(builds: readonly Build[], signal?: AbortSignal): Promise<void> {
  const buildAll = async () => {
    for (const build of builds) await buildImage(build, buildReference(build), signal);
  };
  await withImageLock(buildAll, signal);
}

async function buildImage(build: Build, reference: string, signal?: AbortSignal): Promise<void> {
  if (await isBuilt(reference)) return;
  const base = await ensureRootImage(build.base, signal);
  const args = ["bud", "--layers", "--network", "host", "--format", "docker", "--from", base];
  await withProgress(`Building image ${reference}`, (report) =>
    withPipSettings(async (mounts) => {
      const onLine = (line: string) => report(line.slice(0, 70));
      await buildah([...args, ...mounts, "--tag", reference, build.context], { onLine, signal });
    }),
  );
}

/**
 * Builds an image and imports it into the running cluster by tag and by digest, unless the cluster has it.
 *
 * @returns Its reference.
 */
export async function ensureImage(build: Build): Promise<string> {
  const reference = buildReference(build);
  if (await hasBothNames(reference)) return reference;
  await withImageLock(async () => {
    if (!(await hasImage(reference))) await importImage(build, reference);
    await nameByDigest(reference);
  });
  return reference;
}

async function importImage(build: Build, reference: string): Promise<void> {
  await buildImage(build, reference);
  const folder = mkdtempSync(cachePath("images", "export-"));
  try {
    await withProgress(`Importing image ${reference} into the cluster`, async () => {
      await importArchive(await exportImage(reference, folder), reference);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await removeSuperseded(build.name, reference);
}

async function storedImages(): Promise<StoredImage[]> {
  return JSON.parse(await buildah(["images", "--json"])) as StoredImage[];
}

/** Removes images from the storage and from the cluster. */
async function removeEverywhere(references: readonly string[]): Promise<void> {
  for (const reference of references) await buildah(["rmi", reference]);
  await removeImages(references);
}

/**
 * Removes images of one name that are neither among the newest nor in use.
 *
 * @param current - The image that was just imported. It may be as old as its cached layers.
 */
async function removeSuperseded(name: string, current: string): Promise<void> {
  const inUse = [current, ...(await usedImages())];
  await removeEverywhere(supersededImages(await storedImages(), `localhost/${name}`, inUse));
}

/** Removes all images of one name from the storage and from the cluster. */
export async function removeImagesOf(name: string): Promise<void> {
  await withImageLock(async () => {
    const references = (await storedImages()).flatMap(({ names }) => names ?? []);
    await removeEverywhere(references.filter((reference) => reference.startsWith(`localhost/${name}:`)));
  });
}
