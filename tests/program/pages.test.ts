import assert from "node:assert/strict";
import { blocksOf, missingLine } from "../support/pages.ts";

describe("blocksOf", () => {
  it("returns language, marks, and text, without the indent of a list", () => {
    const page = "x\n```sh walk exits=1\na\n  b\n```\n\n1. y\n\n   ```text\n   c\n     d\n   ```\n`e`\n```\nf\n```\n";
    assert.deepEqual(blocksOf(page), [
      { language: "sh", marks: { walk: "", exits: "1" }, text: "a\n  b\n" },
      { language: "text", marks: {}, text: "c\n  d\n" },
      { language: "", marks: {}, text: "f\n" },
    ]);
  });
});

describe("missingLine", () => {
  const seen = "  one 1 (s)\ntwo\nthree\n\nfour\n";
  const there: readonly string[] = ["two", "one … (s)\ntwo", "one 1 (s)\n…\nfour", "three\nfour", "…\nthree", "tw…"];
  for (const said of there) it(`finds ${JSON.stringify(said)}`, () => assert.equal(missingLine(said, seen), undefined));

  const missing: readonly [said: string, line: string][] = [
    ["five", "five"],
    ["two\none 1 (s)", "one 1 (s)"],
    ["two\nfour", "four"],
    ["one", "one"],
    ["one . (s)", "one . (s)"],
    ["…\nthree\n…\ntwo", "two"],
  ];
  for (const [said, line] of missing)
    it(`misses ${JSON.stringify(line)} of ${JSON.stringify(said)}`, () => assert.equal(missingLine(said, seen), line));
});
