import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { projectRoot } from "../../src/paths.ts";

const run = promisify(execFile);

describe("a short-lived program", () => {
  it("parses SQL without the memory of an optimizing compiler", async () => {
    const url = (file: string) => JSON.stringify(pathToFileURL(join(projectRoot, "src", file)).href);
    const program = `
      await import(${url("short-lived.ts")});
      const { openParser } = await import(${url("lockfile/sql-parser.ts")});
      (await openParser())("SELECT 1");
      setTimeout(() => console.log(process.resourceUsage().maxRSS), 1500);`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program]);
    assert.ok(Number(stdout) < 250_000, `${stdout.trim()} KB`);
  });

  it("keeps the Pulumi program compiled", async () => {
    const cache = mkdtempSync(join(tmpdir(), "compiled-"));
    const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
    const env = { ...environment, PULUMI_ALEMBIC_CACHE: cache };
    // Without the engine it ends with an error, after its modules were loaded.
    await assert.rejects(
      run(process.execPath, [join(projectRoot, "index.ts")], { env }),
      /invalid stack configuration/,
    );
    assert.ok(globSync(join(cache, "compiled", "*", "*")).length > 200);
    rmSync(cache, { recursive: true });
  });
});
