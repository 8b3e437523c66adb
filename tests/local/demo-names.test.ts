import assert from "node:assert/strict";
import { demoNames } from "../../local/demo-names.ts";

const local = { isLocal: true, context: "unity-local" };

describe("demoNames", () => {
  it("returns the documented names for the first demo", () => {
    const names = { stack: "dev", namespace: "unity", imageName: "unity-backend" };
    assert.deepEqual(demoNames(undefined, local), names);
    assert.deepEqual(demoNames("", local), names);
  });

  it("returns different stacks, namespaces, and images for each demo of a cluster", () => {
    const clusters = [local, { isLocal: false, context: "a" }];
    const all = clusters.flatMap((cluster) => ["", "demo", "dev", "second"].map((name) => demoNames(name, cluster)));
    assert.equal(new Set(all.map(({ stack }) => stack)).size, all.length);
    for (const demos of [all.slice(0, 4), all.slice(4)]) {
      assert.equal(new Set(demos.map(({ namespace }) => namespace)).size, demos.length);
      assert.equal(new Set(demos.map(({ imageName }) => imageName)).size, demos.length);
    }
  });

  it("returns different stacks for each cluster", () => {
    const [one, other] = ["a", "b"].map((context) => demoNames(undefined, { isLocal: false, context }).stack);
    assert.notEqual(one, other);
  });

  for (const name of ["Second", "a b", "-a", "x".repeat(33), "../x"]) {
    it(`rejects ${name}`, () =>
      assert.throws(() => demoNames(name, local), /invalid STACK ".*": must be at most 32 lowercase letters/));
  }
});
