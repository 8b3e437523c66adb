import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pauseImage } from "../cluster/config.ts";
import { run } from "../cluster/run.ts";
import { hasImage, importArchive } from "./import.ts";

/** Imports the sandbox image, made from the static `pause` program, unless the cluster has it. */
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
