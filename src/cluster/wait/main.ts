// `node src/cluster/wait/main.ts job|rollout|postgres-image` waits for what standard input describes as JSON: prints progress,
// and exits with 1 and the cause if it fails.
import "../../short-lived.ts";
import { text } from "node:stream/consumers";
import { messageOf, printLine } from "../../printable.ts";
import { tail } from "../causes.ts";
import { Kubectl } from "../kubectl.ts";
import { migrateJob, recordLastJob } from "./job.ts";
import { withRecordedOutcome } from "./outcome.ts";
import { type PostgresImageTarget, provePostgresImage } from "./postgres-image.ts";
import { rollout } from "./rollout.ts";
import { type WaitTarget, waitFor } from "./wait.ts";

const waits: Readonly<Record<string, (kubectl: Kubectl, target: WaitTarget) => Promise<void>>> = {
  async job(kubectl, target) {
    await recordLastJob(kubectl, target);
    const waiter = migrateJob(kubectl, target);
    const job = () => ({ name: target.name, uid: waiter.uid() });
    await withRecordedOutcome(kubectl, target.namespace, job, () => waitFor(kubectl, target, waiter));
    const log = waiter.log();
    if (log !== undefined) printLine(`Last log lines of the migration, whose pod was ended:\n${tail(log)}`);
  },
  rollout: async (kubectl, target) => waitFor(kubectl, target, await rollout(kubectl, target.name)),
  "postgres-image": (kubectl, target) => provePostgresImage(kubectl, target as PostgresImageTarget),
};

const wait = waits[process.argv[2] ?? ""];
if (wait === undefined) {
  console.error(`usage: node src/cluster/wait/main.ts ${Object.keys(waits).join("|")} <<< <json>`);
  process.exitCode = 2;
} else {
  const target = JSON.parse(await text(process.stdin)) as WaitTarget;
  try {
    await wait(new Kubectl(target, { report: printLine }), target);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
