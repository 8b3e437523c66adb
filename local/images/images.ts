import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";
import { postgresBase, pythonBase } from "./base.ts";
import { ensureImage } from "./build.ts";

/**
 * Builds the backend's image, or that of a variant of it, from its ordinary Dockerfile, and imports it into the running
 * local cluster. Of an unchanged context nothing is done.
 * @param context Folder with the Dockerfile. @default The project's backend.
 * @param name The image's name; the newest of a name are kept. @default "unity-backend".
 * @returns Its reference, whose tag is a hash of the inputs.
 */
export async function ensureBackendImage(
  context = join(projectRoot, "backend"),
  name = "unity-backend",
): Promise<string> {
  return ensureImage({ name, context, base: pythonBase });
}

/** Builds the database's image and imports it into the running local cluster, unless it has it. @returns Its reference. */
export async function ensurePostgresImage(): Promise<string> {
  return ensureImage({ name: "unity-postgres", context: join(import.meta.dirname, "postgres"), base: postgresBase });
}
