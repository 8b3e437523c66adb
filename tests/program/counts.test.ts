import assert from "node:assert/strict";
import { type Counts, countsOf, sum } from "../support/counts.ts";

const mocha = `
  3 passing (1s)
  3 failing

  1) a stack
       with two roles
         refuses {"size": two}:

      AssertionError [ERR_ASSERTION]: no answer within 3 s
      + expected - actual
      at Context.<anonymous> (tests/a.test.ts:1:2)

  2) "before all" hook in "reads":
     Error: Timeout of 600000ms exceeded.
      at listOnTimeout (node:internal/timers:605:17)

  3) a stack
       migrates:

      AssertionError [ERR_ASSERTION]: Updating (test)
Job: Creating
${"Job: 1 of 2 revisions\n".repeat(30)}error: the Job failed

1 !== 0

      + expected - actual

      -1
      +0

      at Context.<anonymous> (tests/b.test.ts:1:2)
`;
const pytest = `..F
=========================== short test summary info ============================
SKIPPED [1] test_pooler.py:3: no pgbouncer
FAILED tests/test_a.py::test_reads[two] - assert 1 == 2
ERROR tests/test_b.py - ImportError: no module
1 failed, 12 passed, 1 skipped, 1 error in 3.40s
`;

describe("countsOf", () => {
  const all: [string, string, number, Counts][] = [
    ["mocha, all passed", "\n  88 passing (460ms)\n", 0, { passed: 88, failed: 0, failures: [] }],
    [
      "mocha, some failed",
      mocha,
      2,
      {
        passed: 3,
        failed: 3,
        failures: [
          'a stack with two roles refuses {"size": two}: AssertionError [ERR_ASSERTION]: no answer within 3 s',
          '"before all" hook in "reads": Error: Timeout of 600000ms exceeded.',
          "a stack migrates: AssertionError [ERR_ASSERTION]: Updating (test)" +
            `${"\n    Job: 1 of 2 revisions".repeat(18)}\n    error: the Job failed\n    1 !== 0`,
        ],
      },
    ],
    [
      "pytest, failures and errors",
      pytest,
      1,
      {
        passed: 12,
        failed: 2,
        failures: ["tests/test_a.py::test_reads[two] - assert 1 == 2", "tests/test_b.py - ImportError: no module"],
      },
    ],
    ["a runner that was killed", "Segmentation fault\n", 139, broken(139, 0)],
    ["a runner that failed after its tests", "  3 passing (1s)\n", 1, broken(1, 3)],
    ["a runner without tests", "  0 passing (1ms)\n", 0, broken(0, 0)],
  ];
  for (const [what, output, exitCode, expected] of all) {
    it(`counts ${what}`, () => assert.deepEqual(countsOf(output, exitCode), expected));
  }

  it("adds up", () => {
    const counts = [
      { passed: 1, failed: 2, failures: ["a", "b"] },
      { passed: 3, failed: 1, failures: ["c"] },
    ];
    assert.deepEqual(sum(counts), { passed: 4, failed: 3, failures: ["a", "b", "c"] });
  });

  function broken(exitCode: number, passed: number): Counts {
    return { passed, failed: 1, failures: [`the tests' runner ended with exit code ${exitCode}, ${passed} passed`] };
  }
});
