import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../src/paths.ts";
import { titleLimit } from "../support/titles.ts";

/** The part of mocha's JSON report that is read here. */
interface Report {
  readonly tests: readonly { readonly title: string; readonly file: string }[];
}

const tooLong = (titles: readonly string[]) => titles.filter((title) => title.length > titleLimit);

/** Lists the titles of all mocha tests, which it loads but doesn't run. */
async function mochaTitles(): Promise<readonly string[]> {
  const args = ["--dry-run", "--reporter=json", "tests/**/*.test.ts"];
  const env = { ...process.env, UNITY_CONTEXT: "none", MIGRATION_IMAGE: "none:1" };
  const options = { cwd: projectRoot, env, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)("mocha", args, options);
  const { tests } = JSON.parse(stdout.slice(stdout.indexOf('{\n  "stats"'))) as Report;
  return tests.map(({ title }) => title);
}

describe("test titles", () => {
  it("have at most 80 characters in mocha's tests", async function () {
    this.timeout("2m"); // it loads every test
    const titles = await mochaTitles();
    assert.ok(titles.length > 1000, `${titles.length} tests`);
    assert.deepEqual(tooLong(titles), []);
  });

  it("have at most 80 characters in pytest's tests", () => {
    const files = globSync(["tests/runner/test_*.py", "backend/tests/**/test_*.py"], { cwd: projectRoot });
    const sources = files.map((file) => readFileSync(join(projectRoot, file), "utf8"));
    const titles = sources.flatMap((source) =>
      [...source.matchAll(/def (test_\w+)\(/g)].map(([, title = ""]) => title),
    );
    assert.ok(titles.length > 100, `${titles.length} tests`);
    assert.deepEqual(tooLong(titles), []);
  });
});
