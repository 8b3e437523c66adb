import assert from "node:assert/strict";
import { typeName } from "../../src/cli/report/diagram/boxes.ts";
import { draw } from "../../src/cli/report/diagram/draw.ts";
import { groupsOf } from "../../src/cli/report/diagram/group.ts";
import { layOut, pack } from "../../src/cli/report/diagram/layout.ts";
import { html } from "../../src/cli/report/html.ts";

/** Returns a table with an `id` and a column for each referenced table. */
function table(name: string, ...references: readonly string[]) {
  return {
    name,
    createdBy: "r",
    columns: { id: "int8", ...Object.fromEntries(references.map((other) => [`${other}_id`, "int8"])) },
    primaryKey: ["id"],
    foreignKeys: references.map((other) => ({
      name: `fk_${other}`,
      columns: [`${other}_id`],
      references: other,
      onDelete: "a",
    })),
    indexes: {},
  };
}
const routes = (...tables: ReturnType<typeof table>[]) =>
  layOut(tables).lines.map(({ from, to }) => `${from} to ${to}`);

describe("schema diagram", () => {
  it("places referenced tables on the left", () => {
    const { boxes, boxWidth } = layOut([table("child", "parent"), table("parent")]);
    const [child, parent] = ["child", "parent"].map((name) => boxes.find((box) => box.table === name));
    assert.ok(child && parent && parent.x + boxWidth < child.x);
  });

  it("draws references to the same table, to each other, and two to one table", () => {
    const twice = table("a", "b");
    const again = { ...twice.foreignKeys[0], name: "fk_again", columns: ["id"], references: "b", onDelete: "a" };
    assert.deepEqual(routes({ ...twice, foreignKeys: [...twice.foreignKeys, again] }, table("b")), [
      "a to b",
      "a to b",
    ]);
    assert.deepEqual(routes(table("self", "self")), ["self to self"]);
    assert.deepEqual(routes(table("one", "two"), table("two", "one")).sort(), ["one to two", "two to one"]);
  });

  it("draws no line to an unknown table", () => assert.deepEqual(routes(table("a", "gone")), []));

  it("keeps the line of a self-reference within the diagram", () => {
    const { width, boxes, boxWidth, lines } = layOut([table("self", "self")]);
    const numbers = [...(lines[0]?.path.matchAll(/[\d.]+/g) ?? [])].map(Number);
    assert.ok(Math.max(...numbers.filter((_, index) => index % 2 === 0)) <= width);
    assert.ok((boxes[0]?.x ?? 0) + boxWidth < width);
  });

  it("is empty without tables", () => {
    const { boxes, lines } = layOut([]);
    assert.deepEqual([boxes, lines], [[], []]);
  });

  it("truncates long names, but not for screen readers", () => {
    const long = "x".repeat(63);
    const svg = draw(layOut([table(long)])).text;
    assert.ok(svg.includes(`>${"x".repeat(35)}…</text>`) && svg.includes(`aria-label="${long}, 1 column"`));
  });

  it("groups connected tables, largest group first", () => {
    const tables = [table("alone"), table("a", "b"), table("b"), table("c", "b")];
    assert.deepEqual(
      groupsOf(tables).map((group) => group.map(({ name }) => name)),
      [["a", "b", "c"], ["alone"]],
    );
  });

  it("packs rectangles without overlap, within the width if they fit", () => {
    const sizes = Array.from({ length: 40 }, (_, index) => ({
      width: 20 + ((index * 37) % 80),
      height: 10 + ((index * 53) % 90),
    }));
    const { width, height, positions } = pack(sizes, 200, 5);
    const all = positions.map((position, index) => ({ ...position, ...(sizes[index] ?? { width: 0, height: 0 }) }));
    assert.ok(width <= 200 && all.length === 40);
    for (const [index, a] of all.entries()) {
      assert.ok(a.x + a.width <= width && a.y + a.height <= height);
      for (const b of all.slice(0, index))
        assert.ok(
          a.x >= b.x + b.width + 5 ||
            b.x >= a.x + a.width + 5 ||
            a.y >= b.y + b.height + 5 ||
            b.y >= a.y + a.height + 5,
        );
    }
    assert.equal(pack([{ width: 300, height: 10 }], 200, 5).width, 300);
  });

  it("maps catalog types to SQL names", () => {
    assert.deepEqual(["int8", "_text", "_int4", "timestamptz"].map(typeName), [
      "bigint",
      "text[]",
      "integer[]",
      "timestamptz",
    ]);
  });
});

describe("html", () => {
  it("escapes text, but not nested HTML", () => {
    const inner = html`<b title="${'"<'}">${"a & b"}</b>`;
    assert.equal(
      html`<p>${inner}${["'", inner]}</p>`.text,
      '<p><b title="&quot;&lt;">a &amp; b</b>&#39;<b title="&quot;&lt;">a &amp; b</b></p>',
    );
  });

  it("omits empty values, and keeps numbers", () => {
    assert.equal(html`${null}${undefined}${false}${0}${[1, [2]]}`.text, "012");
  });

  it("replaces characters that HTML cannot represent", () =>
    assert.equal(html`${"a\0b\uD800"}`.text, "a\\x00b\\ud800"));
});
