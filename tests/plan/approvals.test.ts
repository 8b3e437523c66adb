import assert from "node:assert/strict";
import type { Finding } from "../../src/lockfile/lock.ts";
import { parseApprovals, unknownApprovals } from "../../src/plan/approvals.ts";
import { lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const finding = (rule: string): Finding => ({ rule, level: "error", statement: 0, message: "m", help: null });
const lock = lockOf([
  lockedRevision("add_x", { findings: [finding("ban-drop-column"), finding("truncate")] }),
  lockedRevision("add_y", { downRevisions: ["add_x"] }),
]);

describe("approvals", () => {
  const good: readonly [string, unknown, number][] = [
    ["nothing", undefined, 0],
    ["an empty list", [], 0],
    ["one", { revision: "a", rule: "r" }, 1],
    [
      "a list, with reasons",
      [
        { revision: "a", rule: "r", reason: "unused" },
        { revision: "b", rule: "r" },
      ],
      2,
    ],
  ];
  for (const [what, value, count] of good) {
    it(`are parsed from ${what}`, () => {
      const { approvals, errors } = parseApprovals(value);
      assert.deepEqual([approvals.length, errors], [count, []]);
    });
  }

  const bad: readonly [string, unknown, readonly string[]][] = [
    ["a string", "ban-drop-column", ["approvals[0].revision"]],
    ["no rule", [{ revision: "a", rule: "r" }, { revision: "b" }], ["approvals[1].rule"]],
    ["an id that YAML parsed as a number", { revision: 123, rule: "r" }, ["approvals[0].revision"]],
    [
      "an empty reason and an unknown key",
      { revision: "a", rule: "r", reason: "", rules: 1 },
      ["approvals[0].reason", "approvals[0].rules"],
    ],
  ];
  for (const [what, value, paths] of bad) {
    it(`are rejected for ${what}`, () => {
      const { approvals, errors } = parseApprovals(value);
      assert.deepEqual([approvals, errors.map(({ path }) => path)], [[], paths]);
    });
  }

  const matching: readonly [string, string, string, RegExp | null][] = [
    ["a finding of any revision", "add_x", "truncate", null],
    ["an unknown revision", "add_z", "truncate", /^approvals\[0\]: unknown revision add_z; did you mean add_x\?$/],
    ["an unknown revision with an unknown rule", "ad_y", "r", /did you mean add_y or add_x\?$/],
    [
      "a rule without a finding",
      "add_x",
      "ban-drop-colum",
      /revision add_x has no finding ban-drop-colum; its findings: ban-drop-column, truncate$/,
    ],
    ["a revision without findings", "add_y", "truncate", /its findings: none$/],
  ];
  for (const [what, revision, rule, message] of matching) {
    it(`${message === null ? "accept" : "reject"} ${what}`, () => {
      const [found, ...others] = unknownApprovals(lock, [{ revision, rule }]);
      if (message === null) assert.equal(found, undefined);
      else assert.match(found ?? "", message);
      assert.deepEqual(others, []);
    });
  }
});
