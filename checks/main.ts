// `node checks/main.ts NAME`, with what must be there as JSON in UNITY_EXPECTED: prints the result as one line of JSON,
// or says what failed and exits with 1.
import { checkNames } from "./names.ts";
import { describeFailure, type Expected } from "./result.ts";
import { runCheck } from "./run.ts";

const name = checkNames.find((known) => known === process.argv[2]);
const expected = process.env.UNITY_EXPECTED;
if (name === undefined || expected === undefined) {
  console.error(`usage: UNITY_EXPECTED='{…}' node checks/main.ts ${checkNames.join("|")}`);
  process.exitCode = 2;
} else {
  const result = await runCheck(name, JSON.parse(expected) as Expected);
  if (result.passed) console.log(JSON.stringify(result));
  else {
    console.error(describeFailure(result));
    process.exitCode = 1;
  }
}
