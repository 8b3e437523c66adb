// `node src/cluster/wait/main.ts job|rollout` waits for the object that standard input describes as JSON: prints progress,
// and exits with 1 and the cause if it fails.
import "../../short-lived.ts";
import { text } from "node:stream/consumers";
import { messageOf, printLine } from "../../printable.ts";
import { Kubectl } from "../kubectl.ts";
import { migrateJob, recordLastJob } from "./job.ts";
import { rollout } from "./rollout.ts";
import { type WaitTarget, waitFor } from "./wait.ts";

const kind = process.argv[2];
if (kind !== "job" && kind !== "rollout") {
  console.error("usage: node src/cluster/wait/main.ts job|rollout <<< <json>");
  process.exitCode = 2;
} else {
  const target = JSON.parse(await text(process.stdin)) as WaitTarget;
  const kubectl = new Kubectl(target, { report: printLine });
  try {
    if (kind === "job") {
      await recordLastJob(kubectl, target);
      await waitFor(kubectl, target, migrateJob(kubectl, target.name, target.workload));
    } else {
      await waitFor(kubectl, target, await rollout(kubectl, target.name));
    }
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
