import assert from "node:assert/strict";
import { codes, prose } from "../../src/cli/docs/markdown.ts";
import { fill } from "../../src/cli/docs/template.ts";

describe("a document's template", () => {
  it("replaces placeholders and keeps the rest", () => {
    assert.equal(
      fill("At `{{head}}` of {{count}}: {{other}}\n", { head: "b", count: 2, other: "$1" }),
      "At `b` of 2: $1\n",
    );
  });

  it("repeats a section for each view of a list, which inherits the outer view", () => {
    const template = "{{#rows}}\n{{name}} in {{namespace}}\n{{/rows}}\nend\n";
    const rows = [{ name: "a" }, { name: "b", namespace: "own" }];
    assert.equal(fill(template, { namespace: "outer", rows }), "a in outer\nb in own\nend\n");
    assert.equal(fill(template, { namespace: "outer", rows: [] }), "end\n");
  });

  it("keeps one of a section and its inverse", () => {
    const template = "{{#role}}\nrole {{role}}\n{{/role}}\n{{^role}}\nno role\n{{/role}}\n";
    assert.equal(fill(template, { role: "app" }), "role app\n");
    for (const role of [undefined, false, ""]) assert.equal(fill(template, { role }), "no role\n");
  });

  it("fills sections within sections", () => {
    const template = "{{#all}}\n{{title}}\n{{#items}}\n- {{item}}\n{{/items}}\n\n{{/all}}\n";
    const all = [
      { title: "x", items: [{ item: 1 }, { item: 2 }] },
      { title: "y", items: [] },
    ];
    assert.equal(fill(template, { all }), "x\n- 1\n- 2\n\ny\n\n");
  });

  it("escapes bars in rows of a table only", () => {
    assert.equal(fill("| {{value}} |\n{{value}}\n", { value: "a|b" }), "| a\\|b |\na|b\n");
  });

  it("leaves values that look like placeholders, and keeps code closed", () => {
    const rows = [{ title: "{{nope}} {{#rows}}", id: "a`b" }];
    assert.equal(
      fill("{{#rows}}\n{{title}} `{{id}}` {{id}}\n{{/rows}}\n", { rows }),
      "{{nope}} {{#rows}} `a\\x60b` a`b\n",
    );
  });

  it("fails on a name that the view lacks", () => {
    assert.throws(() => fill("{{missing}}", {}), /\{\{missing\}\} is unknown/);
    assert.throws(() => fill("{{#missing}}\n{{/missing}}\n", {}), /\{\{missing\}\} is unknown/);
  });
});

describe("a text in Markdown", () => {
  const cases: readonly [what: string, given: string, result: string][] = [
    ["HTML", "<script>a</script> &amp; a & b", "\\<script>a\\</script> \\&amp; a & b"],
    ["links and images", "[a](b) ![c](d)", "\\[a\\](b) !\\[c\\](d)"],
    ["formats", "*a* _b_ ~~c~~ plugin_execution", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~ plugin_execution"],
    ["a single backtick", "a ` b", "a \\` b"],
    ["a backslash before punctuation", "a \\* \\x1b", "a \\\\\\* \\x1b"],
  ];
  for (const [what, given, result] of cases) {
    it(`escapes ${what}`, () => assert.equal(prose(given), result));
  }

  it("keeps code, in which it can't be closed", () => {
    assert.equal(prose("run `a < b`"), "run `a < b`");
    assert.equal(codes(["a`b", "c"]), "`a\\x60b`, `c`");
  });
});
