// `node src/cluster/wait/main.ts job|rollout`, with where to look as JSON in UNITY_WAIT: tells how far it is until it is done, or
// says what it failed for and exits with 1.
import "../../short-lived.ts";
import { Kubectl } from "../kubectl.ts";
import { migrateJob, noteLast } from "./job.ts";
import { rollout } from "./rollout.ts";
import { type WaitTarget, waitKinds } from "./target.ts";
import { waitFor } from "./wait.ts";

const kind = waitKinds.find((known) => known === process.argv[2]);
const given = process.env.UNITY_WAIT;
if (kind === undefined || given === undefined) {
  console.error(`usage: UNITY_WAIT='{…}' node src/cluster/wait/main.ts ${waitKinds.join("|")}`);
  process.exitCode = 2;
} else {
  const target = JSON.parse(given) as WaitTarget;
  const kubectl = new Kubectl(target);
  try {
    if (kind === "job") await noteLast(kubectl, target);
    const waiter =
      kind === "job" ? migrateJob(kubectl, target.name, target.workload) : await rollout(kubectl, target.name);
    await waitFor(kubectl, target, waiter);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
