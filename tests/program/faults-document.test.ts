import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../paths.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const text = read("docs/faults.md");
/** What the document cites: part of a test's title, and the test's file. */
const cited = [...text.matchAll(/\[([^\]]+)\]\(\.\.\/(tests\/[^)]+)\)/g)]
  .map(([, title = "", file = ""]) => ({ title, file }))
  .filter(({ file }) => file !== "tests/program/faults-document.test.ts");

describe("docs/faults.md", () => {
  for (const { title, file } of cited) {
    it(`cites a test that is there: ${title}`, () => {
      assert.ok(read(file).replaceAll("\\`", "`").includes(title), `${file} has no test called ${title}`);
    });
  }

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
