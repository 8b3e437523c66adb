import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";

const self = "tests/program/cited-tests.test.ts";
const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

/** Citations of a document: part of a test's title, and the test's file. */
const citedIn = (document: string) =>
  [...read(document).matchAll(/\[([^\]]+)\]\(\.\.\/(tests\/[^)]+)\)/g)]
    .map(([, title = "", file = ""]) => ({ title, file }))
    .filter(({ file }) => file !== self);

/** The text of a test's file with titles as they are printed: without escapes, and Python's names with spaces. */
const titlesOf = (file: string) =>
  file.endsWith(".py") ? read(file).replaceAll("_", " ") : read(file).replaceAll("\\`", "`");

for (const document of ["docs/README.md", "docs/faults.md", "docs/security.md"]) {
  describe(document, () => {
    const cited = citedIn(document);

    it("cites tests", () => assert.ok(cited.length > 20));

    it("cites existing tests", () => {
      const missing = cited.filter(({ title, file }) => !titlesOf(file).includes(title));
      assert.deepEqual(missing, []);
    });
  });
}

describe("docs/faults.md", () => {
  const cited = citedIn("docs/faults.md");
  const isCited = (file: string, title: string) =>
    cited.some((each) => each.file === file && title.includes(each.title));

  it("cites every test of a fault", () => {
    for (const file of globSync("tests/live/faults/*.test.ts", { cwd: projectRoot })) {
      const titles = [...titlesOf(file).matchAll(/^ +it\(["`](.*)["`], async/gm)].map(([, title = ""]) => title);
      assert.ok(titles.length > 0, `${file} has no tests`);
      assert.deepEqual(
        titles.filter((title) => !isCited(file, title)),
        [],
        file,
      );
    }
  });
});
