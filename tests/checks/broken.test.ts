import assert from "node:assert/strict";
import { checkNames } from "../../src/checks/names.ts";
import { brokenChains, brokenTrees } from "../cli/broken-trees.ts";
import { breaches, loggedBreaches } from "../live/breaches.ts";

describe("the checks", () => {
  // The tests of tests/cli/broken-trees.test.ts and tests/live/checks.test.ts go through these lists.
  it("are each seen to fail on something that is broken for it, without a cluster or on one", () => {
    const seen = [...brokenTrees, ...breaches, ...loggedBreaches].flatMap(({ failed }) => Object.keys(failed));
    assert.deepEqual([...new Set([...seen, ...brokenChains])].sort(), [...checkNames].sort());
  });
});
