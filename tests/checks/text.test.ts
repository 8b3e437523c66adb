import assert from "node:assert/strict";
import { shortened } from "../../src/checks/text.ts";

describe("shortened", () => {
  const cases: [string, string, string][] = [
    [
      "a URL's password",
      "at postgresql://u:hunter2@h/d and http://localhost:8000/",
      "at postgresql://u:[secret]@h/d and http://localhost:8000/",
    ],
    ["a named password", 'PASSWORD=hunter2, "token": "x y"', 'PASSWORD=[secret], "token": [secret]'],
    ["control characters and line breaks", "a\u0000\n\u001b[31mb", "a [31mb"],
  ];
  for (const [what, given, result] of cases) {
    it(`removes ${what}`, () => assert.equal(shortened(given), result));
  }
  it("cuts a flood", () => {
    assert.ok(shortened("x".repeat(8_000_000)).length < 600);
  });
  it("shows no half of a URL", () => {
    const text = `${" ".repeat(10)}${"y ".repeat(1990)}postgresql://u:hunter2@${"z".repeat(100)}`;
    assert.ok(!shortened(text).includes("hunter"));
  });
});
