import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { loadImage } from "../../local/developer-cluster.ts";
import { type Build, backendBuild, ensureImage, postgresBuild } from "../../local/images/build.ts";
import { contextHash } from "../../local/images/context.ts";

const run = promisify(execFile);

/** Returns `reference` with another tag in place of its tag or digest. */
export function withTag(reference: string, tag: string): string {
  return `${reference.replace(/(@sha256:[0-9a-f]+|:[\w][\w.-]*)$/, "")}:${tag}`;
}

/**
 * Builds a backend image of a test's own from `folder`, and imports it into the project's cluster, or a kind, k3d, or
 * minikube cluster; for another cluster, pushes it beside the given image with Docker.
 *
 * @param name - Name of the image; the newest of a name are kept.
 */
export function fixtureImage(folder: string, name = "unity-backend-fixture"): Promise<string> {
  return build(backendBuild(name, folder));
}

/** Builds a PostgreSQL image of a test's own, as {@link fixtureImage} does a backend's. */
export function postgresFixtureImage(folder: string): Promise<string> {
  return build({ ...postgresBuild, name: "unity-postgres-fixture", context: folder });
}

async function build(image: Build): Promise<string> {
  const { UNITY_OWN_CLUSTER, UNITY_DEVELOPER_CLUSTER, MIGRATION_IMAGE = "" } = process.env;
  if (UNITY_OWN_CLUSTER === "true") return ensureImage(image);
  if (UNITY_DEVELOPER_CLUSTER !== undefined) return loadImage(JSON.parse(UNITY_DEVELOPER_CLUSTER), image);
  const reference = withTag(MIGRATION_IMAGE, `${image.name}-${contextHash(image.context).slice(0, 12)}`);
  await run("docker", ["build", "--tag", reference, image.context]);
  await run("docker", ["push", reference]);
  return reference;
}
