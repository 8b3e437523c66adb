import assert from "node:assert/strict";
import { checkNames } from "../../src/checks/names.ts";
import { brokenChains, brokenTrees } from "../cli/broken-trees.ts";
import { breaches, loggedBreaches } from "../live/breaches.ts";

describe("the checks", () => {
  // The tests of tests/cli/broken-trees.test.ts and tests/live/checks.test.ts go through these lists.
  it("each fail on a broken state, with or without a cluster", () => {
    const seen = [...brokenTrees, ...breaches, ...loggedBreaches].flatMap(({ failed }) => Object.keys(failed));
    assert.deepEqual([...new Set([...seen, ...brokenChains])].sort(), [...checkNames].sort());
  });
});
