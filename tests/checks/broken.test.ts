import assert from "node:assert/strict";
import { checkNames } from "../../src/checks/names.ts";
import { brokenChains, brokenTrees } from "../cli/broken-trees.ts";
import { brokenStates, loggedBrokenStates } from "../live/broken-states.ts";

describe("the checks", () => {
  // tests/cli/broken-trees.test.ts and tests/live/checks.test.ts test these lists.
  it("each fail on a broken state, with or without a cluster", () => {
    const seen = [...brokenTrees, ...brokenStates, ...loggedBrokenStates].flatMap(({ failed }) => Object.keys(failed));
    assert.deepEqual([...new Set([...seen, ...brokenChains])].sort(), [...checkNames].sort());
  });
});
