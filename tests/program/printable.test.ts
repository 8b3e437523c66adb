import assert from "node:assert/strict";
import { printable, printableJson } from "../../src/printable.ts";

const hostile = "a\u001b[31m\u009b2J\u202e b\r\n::add-mask::x\n  ::set-output name=a::b\n##[group]c <{%reset%}>";

describe("printable", () => {
  it("escapes hidden characters and commands of CI systems and of Pulumi", () => {
    assert.equal(
      printable(hostile),
      "a\\x1b[31m\\x9b2J\\u202e b\\x0d\n\\x3a:add-mask::x\n  \\x3a:set-output name=a::b\n\\x23#[group]c \\x3c{%reset%}>",
    );
    assert.equal(printable("tag \u{e0001}, half \ud800"), "tag \\u{e0001}, half \\ud800");
  });

  it("keeps ordinary text, and what it has escaped", () => {
    for (const text of ["SELECT a::text\n\t::numeric -- ## b", "Zoë 中文 👩\u200d🔧 עברית", printable(hostile)])
      assert.equal(printable(text), text);
  });

  it("escapes in JSON so that the value stays the same", () => {
    const value = { [hostile]: [hostile, "tag \u{e0001}, half \ud800"] };
    const json = printableJson(value, 2);
    assert.equal(printable(json), json);
    assert.deepEqual(JSON.parse(json), value);
  });

  it("takes linear time", () => {
    const started = performance.now();
    for (const part of [" ", "\n", ":", "#", "##w", "<{", "\u001b", "::a"]) printable(part.repeat(200_000));
    assert.ok(performance.now() - started < 5000);
  });
});
