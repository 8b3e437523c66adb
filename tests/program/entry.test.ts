import assert from "node:assert/strict";
import { readProject } from "../../local/engine/project.ts";
import { projectRoot } from "../../src/paths.ts";

describe("Pulumi.yaml", () => {
  // Without it the SDK runs what package.json exports as soon as that is built, and a program without resources deletes all.
  it("names the program, which package.json's exports would else decide", () => {
    assert.equal(readProject(projectRoot).main, "index.ts");
  });
});
