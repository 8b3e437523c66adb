import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendBuild, buildImages, buildReference, ensureImage, removeImagesOf } from "../../local/images/build.ts";
import { clusterImages, exportImage } from "../../local/images/import.ts";
import { projectRoot } from "../../src/paths.ts";
import { temporaryFolder } from "../support/folder.ts";

const name = "unity-test-image";

const ownCluster = process.env.UNITY_OWN_CLUSTER === "true";

(ownCluster ? describe : describe.skip)("images of the local cluster", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-image-"));
    cpSync(join(projectRoot, "examples", "notes", "app"), folder, { recursive: true });
    writeFileSync(join(folder, "asked-at"), new Date().toISOString());
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await removeImagesOf(name);
  });

  it("are imported once for parallel requests", async () => {
    const [reference = "", ...others] = await Promise.all([1, 2, 3].map(() => ensureImage(backendBuild(name, folder))));
    assert.deepEqual(others, [reference, reference]);
    const images = (await clusterImages()).filter((image) => image.reference.startsWith(`localhost/${name}`));
    const [{ digest } = { digest: "" }] = images;
    assert.deepEqual(images.map((image) => image.reference).sort(), [reference, `localhost/${name}@${digest}`].sort());
  });

  it("are imported without the layers that the cluster has", async () => {
    writeFileSync(join(folder, "asked-at"), "again");
    const build = backendBuild(name, folder);
    await buildImages([build]);
    using archives = temporaryFolder();
    const { size } = statSync(await exportImage(buildReference(build), archives.path));
    assert.ok(size < 1_000_000, `${size} bytes`);
    const reference = await ensureImage(build);
    assert.ok((await clusterImages()).some((image) => image.reference === reference));
  });
});
