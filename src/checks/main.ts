// `node src/checks/main.ts all` runs the checks for the release that standard input describes as JSON: prints the release
// and the results as one line of JSON, or exits with 1 and the failed checks. Standard error has only progress.
import "../short-lived.ts";
import { text } from "node:stream/consumers";
import type { CheckTarget, Expected } from "./result.ts";

// Imported after the compile cache is enabled.
const [{ readLock }, { messageOf, printable }, { describeFailure, expectedOf, formatVerification }, { runChecks }] =
  await Promise.all([
    import("../lockfile/read-lock.ts"),
    import("../printable.ts"),
    import("./result.ts"),
    import("./run.ts"),
  ]);

if (process.argv[2] !== "all") {
  console.error("usage: node src/checks/main.ts all <<< <json>");
  process.exit(2);
}
const target = JSON.parse(await text(process.stdin)) as CheckTarget;
const results = await runChecks(expectedState(target));
const failed = results.filter(({ passed }) => !passed);
const output =
  failed.length === 0 ? formatVerification(target.release, results) : printable(failed.map(describeFailure).join("\n"));
// Exits once the output is written, without waiting for a kubectl that hangs.
process.stdout.write(`${output}\n`, () => process.exit(failed.length === 0 ? 0 : 1));

/** Returns the expected state; exits with 1 if the target or its lockfile is invalid. */
function expectedState(target: CheckTarget): Expected {
  try {
    return expectedOf(target, readLock(target.lockFile));
  } catch (error) {
    console.log(messageOf(error));
    process.exit(1);
  }
}
