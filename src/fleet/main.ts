// `node src/fleet/main.ts fleet` starts the Jobs that standard input describes as JSON, and waits for them: prints progress,
// and exits with 1 and the failed tenants' causes if any fails.
import "../short-lived.ts";
import { text } from "node:stream/consumers";
import { Kubectl } from "../cluster/kubectl.ts";
import { messageOf } from "../printable.ts";
import type { FleetTarget } from "./fleet.ts";
import { migrateFleet } from "./wait.ts";

if (process.argv[2] !== "fleet") {
  console.error("usage: node src/fleet/main.ts fleet <<< <json>");
  process.exitCode = 2;
} else {
  const target = JSON.parse(await text(process.stdin)) as FleetTarget;
  try {
    await migrateFleet(new Kubectl(target, { report: console.log }), target);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
