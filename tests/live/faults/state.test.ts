import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gate, heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";

const stack = new FaultStack("state");

/** Room for a few copies of the state: a write renames a second copy, and a replaced ConfigMap is in the state twice. */
const diskMebibytes = 4;

/** A small disk, mounted on the folder of the stack's state. */
class SmallDisk implements Disposable {
  readonly #folder = stack.live.folder;
  readonly #aside = mkdtempSync(join(tmpdir(), "unity-state-"));

  constructor() {
    cpSync(this.#folder, this.#aside, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskMebibytes}m`, "unity-test-state", this.#folder]);
    cpSync(this.#aside, this.#folder, { recursive: true });
  }

  makeReadOnly(): void {
    execFileSync("mount", ["-o", "remount,ro", this.#folder]);
  }

  makeWritable(): void {
    execFileSync("mount", ["-o", "remount,rw", this.#folder]);
  }

  fill(): void {
    try {
      writeFileSync(join(this.#folder, "filling"), Buffer.alloc(diskMebibytes << 20));
    } catch (error) {
      assert.match(String(error), /ENOSPC/);
    }
  }

  /** Unmounts the disk, and keeps the state that was written to it. */
  [Symbol.dispose](): void {
    rmSync(join(this.#folder, "filling"), { force: true });
    cpSync(this.#folder, this.#aside, { recursive: true });
    execFileSync("umount", [this.#folder]);
    cpSync(this.#aside, this.#folder, { recursive: true });
    rmSync(this.#aside, { recursive: true });
  }
}

describe("a state that can't be written", () => {
  let ninth: NinthRelease;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip(); // only root mounts
    [ninth] = await Promise.all([ninthRelease(), stack.deploy()]);
    await stack.psql("CREATE TABLE fault (what text); INSERT INTO fault VALUES ('gate')");
  });
  after(async () => {
    ninth?.remove();
    await stack.end();
  });

  it("F27: in a read-only folder is reported, and nothing changes", async () => {
    const engine = await stack.live.engine(ninth.values, ninth.folder); // writes the settings into the same folder
    using disk = new SmallDisk();
    disk.makeReadOnly();
    try {
      await stack.inject({
        name: "F27 state's folder read-only",
        messages: [/read-only file system/i],
        up: () => engine.run("up"),
        revisions: [heads.eighth],
      });
    } finally {
      disk.makeWritable();
    }
  });

  it("F27: on a full disk during an update is reported; one `up` succeeds with room", async () => {
    {
      using disk = new SmallDisk();
      const release = await stack.hold(`SELECT pg_advisory_xact_lock(${gate})`);
      await stack.inject({
        name: "F27 state's disk full during the Job",
        messages: [/no space left on device/i],
        async up() {
          const running = stack.run("up", ninth);
          await stack.until(() => stack.isWaitingAt(gate));
          disk.fill();
          await release();
          return running;
        },
        revisions: [heads.eighth, heads.ninth],
      });
    }
    await stack.recover(ninth);
    assert.equal(await stack.psql("SELECT version_num FROM alembic_version"), heads.ninth);
  });
});
