// `node src/checks/main.ts all`, with where to look and for which release as JSON in UNITY_CHECKS: prints all results as one
// line of JSON, or says which checks failed and exits with 1.
import "../short-lived.ts";
import { join } from "node:path";
import { projectRoot } from "../paths.ts";
import type { CheckTarget } from "./result.ts";

// Only now, so that they come from the cache.
const [{ readLock }, { checkNames }, { describeFailure, expectedOf }, { runChecks }] = await Promise.all([
  import("../lockfile/read-lock.ts"),
  import("./names.ts"),
  import("./result.ts"),
  import("./run.ts"),
]);

const given = process.env.UNITY_CHECKS;
if (process.argv[2] !== "all" || given === undefined) {
  console.error("usage: UNITY_CHECKS='{…}' node src/checks/main.ts all");
  process.exit(2);
}
const target = JSON.parse(given) as CheckTarget;
const lock = readLock(target.lockFile ?? join(projectRoot, "backend", "migrations.lock.json"));
const results = await runChecks(expectedOf(target, lock), target.checks ?? checkNames);
const failed = results.filter(({ passed }) => !passed);
const [stream, text] =
  failed.length === 0
    ? ([process.stdout, JSON.stringify(results)] as const)
    : ([process.stderr, failed.map(describeFailure).join("\n")] as const);
// Once it is written, a kubectl that hangs, or a child of one, is not waited for.
stream.write(`${text}\n`, () => process.exit(failed.length === 0 ? 0 : 1));
