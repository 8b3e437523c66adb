import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";

const self = "tests/program/cited-tests.test.ts";
const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

/** What a document cites: part of a test's title, and the test's file. */
const citedIn = (document: string) =>
  [...read(document).matchAll(/\[([^\]]+)\]\(\.\.\/(tests\/[^)]+)\)/g)]
    .map(([, title = "", file = ""]) => ({ title, file }))
    .filter(({ file }) => file !== self);

/** The text of a test's file as its titles are read: without escapes, and names in Python with spaces. */
const titlesOf = (file: string) =>
  file.endsWith(".py") ? read(file).replaceAll("_", " ") : read(file).replaceAll("\\`", "`");

for (const document of ["docs/faults.md", "docs/security.md"]) {
  describe(document, () => {
    const cited = citedIn(document);
    it("cites tests", () => assert.ok(cited.length > 20));
    for (const { title, file } of cited) {
      it(`cites a test that is there: ${title}`, () => {
        assert.ok(titlesOf(file).includes(title), `${file} has no test called ${title}`);
      });
    }
  });
}

describe("docs/faults.md", () => {
  const cited = citedIn("docs/faults.md");
  for (const file of globSync("tests/live/faults/*.test.ts", { cwd: projectRoot })) {
    const titles = [...read(file).matchAll(/^ +it\(["`](.*)["`], async/gm)].map(([, title = ""]) => title);
    assert.ok(titles.length > 0, `${file} has no tests that are found`);
    for (const title of titles) {
      it(`has a line for ${title}`, () => {
        const plain = title.replaceAll("\\`", "`");
        assert.ok(cited.some((each) => each.file === file && plain.includes(each.title)));
      });
    }
  }
});
