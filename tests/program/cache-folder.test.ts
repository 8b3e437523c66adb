import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../src/paths.ts";

describe("the cache folder", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "cache-folder-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it("is in the user's cache folder unless a variable says otherwise", () => {
    assert.equal(cacheFolder({}, home), join(home, ".cache", "pulumi-alembic"));
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/cache" }, home), "/cache/pulumi-alembic");
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/cache", PULUMI_ALEMBIC_CACHE: "/own" }, home), "/own");
  });

  it("stays that of an earlier version where only that exists", () => {
    const [earlier, own] = ["unity-migrations", "pulumi-alembic"].map((name) => join(home, ".cache", name)) as [
      string,
      string,
    ];
    mkdirSync(earlier, { recursive: true });
    assert.equal(cacheFolder({}, home), earlier);
    mkdirSync(own);
    assert.equal(cacheFolder({}, home), own);
  });
});
