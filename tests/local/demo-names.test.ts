import assert from "node:assert/strict";
import { demoNames } from "../../local/demo-names.ts";

const own = { own: true, context: "unity-local" };

describe("demoNames", () => {
  it("gives the first demo the names that the documents use", () => {
    const names = { stack: "dev", namespace: "unity", imageName: "unity-backend" };
    assert.deepEqual(demoNames(undefined, own), names);
    assert.deepEqual(demoNames("", own), names);
  });

  it("lets no two demos share a stack, a namespace or images", () => {
    const places = [own, { own: false, context: "a" }];
    const all = places.flatMap((place) => ["", "demo", "dev", "second"].map((name) => demoNames(name, place)));
    assert.equal(new Set(all.map(({ stack }) => stack)).size, all.length);
    for (const demos of [all.slice(0, 4), all.slice(4)]) {
      assert.equal(new Set(demos.map(({ namespace }) => namespace)).size, demos.length);
      assert.equal(new Set(demos.map(({ imageName }) => imageName)).size, demos.length);
    }
  });

  it("keeps the stacks of two clusters apart", () => {
    const [one, other] = ["a", "b"].map((context) => demoNames(undefined, { own: false, context }).stack);
    assert.notEqual(one, other);
  });

  for (const name of ["Second", "a b", "-a", "x".repeat(33), "../x"]) {
    it(`refuses ${name}`, () =>
      assert.throws(() => demoNames(name, own), /STACK is ".*"; it must be lower-case letters/));
  }
});
