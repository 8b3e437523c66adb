import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultTimeoutSeconds } from "../../src/checks/custom-definitions.ts";
import { projectRoot } from "../../src/paths.ts";

const folders = ["src/checks/in-pod", "src/cluster/in-pod"].map((folder) => join(projectRoot, folder));
const programs = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
const files = [
  ...programs.filter((path) => path.endsWith(".py")),
  join(projectRoot, "src/runner/runner_arguments.py"),
  join(projectRoot, "src/cli/docs/check_migrations.body.sh"),
];

/** Fixed limits with the milliseconds of their unit: of statements, of requests, and of connecting. */
const limits: readonly (readonly [pattern: RegExp, unit: number])[] = [
  [/(?:statement|lock)_timeout = (\d+)/g, 1],
  [/--max-time"?,? "?(\d+)/g, 1000],
  [/connect_timeout": (\d+)|PGCONNECT_TIMEOUT", "(\d+)/g, 1000],
  // Not how long kubectl waits for a pod that does not run.
  [/(?<!pod-running-)\btimeout=(\d+)/g, 1000],
];

describe("the time limits of queries in a pod", () => {
  const found = files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    return limits.flatMap(([pattern, unit]) =>
      [...text.matchAll(pattern)].map(([limit, ...values]) => [limit, Number(values.find(Boolean)) * unit] as const),
    );
  });

  it("are known", () => assert.ok(found.length >= 9, String(found)));
  for (const [limit, milliseconds] of found)
    it(`suit a slow cluster: ${limit}`, () => assert.ok(milliseconds >= 30_000, `${milliseconds} ms`));
  it("suit a slow cluster: custom checks", () => assert.ok(defaultTimeoutSeconds >= 30));
});
