import assert from "node:assert/strict";
import { countsOf, sum } from "../support/counts.ts";

describe("countsOf", () => {
  const cases: [string, string, number, { passed: number; failed: number }][] = [
    ["mocha, all passed", "\n  88 passing (460ms)\n", 0, { passed: 88, failed: 0 }],
    ["mocha, some failed", "  3 passing (1s)\n  2 failing\n", 2, { passed: 3, failed: 2 }],
    ["pytest, all passed", "..\n12 passed in 3.40s\n", 0, { passed: 12, failed: 0 }],
    ["pytest, failures and errors", "1 failed, 12 passed, 2 errors in 3.40s\n", 1, { passed: 12, failed: 3 }],
    ["a runner that died", "Segmentation fault\n", 139, { passed: 0, failed: 1 }],
    ["a runner that failed after its tests", "  3 passing (1s)\n", 1, { passed: 3, failed: 1 }],
    ["a runner that found no test", "  0 passing (1ms)\n", 0, { passed: 0, failed: 1 }],
  ];
  for (const [what, output, exitCode, expected] of cases) {
    it(`counts ${what}`, () => assert.deepEqual(countsOf(output, exitCode), expected));
  }
  it("adds up", () => {
    const counts = [
      { passed: 1, failed: 2 },
      { passed: 3, failed: 4 },
    ];
    assert.deepEqual(sum(counts), { passed: 4, failed: 6 });
  });
});
