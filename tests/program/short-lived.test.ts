import assert from "node:assert/strict";
import { execFile } from "node:child_process";
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
});
