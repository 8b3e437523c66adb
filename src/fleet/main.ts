// `node src/fleet/main.ts fleet`, with what to start and where as JSON on standard input: tells how far it is until
// all tenants are migrated, or says which failed and why, and exits with 1.
import "../short-lived.ts";
import { text } from "node:stream/consumers";
import { Kubectl } from "../cluster/kubectl.ts";
import type { FleetTarget } from "./target.ts";
import { migrateFleet } from "./wait.ts";

if (process.argv[2] !== "fleet") {
  console.error("usage: node src/fleet/main.ts fleet <<< '{…}'");
  process.exitCode = 2;
} else {
  const target = JSON.parse(await text(process.stdin)) as FleetTarget;
  try {
    await migrateFleet(new Kubectl(target), target);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
