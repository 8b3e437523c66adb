import assert from "node:assert/strict";
import { readProject } from "../../local/engine/project.ts";
import { projectRoot } from "../../src/paths.ts";

describe("Pulumi.yaml", () => {
  // Otherwise the SDK runs the export of package.json once that is built, and a program without resources deletes everything.
  it("names the program, which package.json's exports would determine otherwise", () => {
    assert.equal(readProject(projectRoot).main, "index.ts");
  });
});
