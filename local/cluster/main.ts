import { ensureBackendImage, ensurePostgresImage } from "../images/images.ts";
import { inventory } from "./inventory.ts";
import { startCluster } from "./start.ts";
import { clusterStatus } from "./status.ts";
import { stopCluster } from "./stop.ts";

const commands: Readonly<Record<string, () => Promise<string>>> = {
  start: async () => `KUBECONFIG=${(await startCluster()).kubeconfig}`,
  stop: async () => {
    await stopCluster();
    return "stopped";
  },
  status: async () => JSON.stringify({ ...(await clusterStatus()), inventory: await inventory() }, undefined, 2),
  images: async () => {
    await startCluster();
    return [await ensurePostgresImage(), await ensureBackendImage()].join("\n");
  },
};

const name = process.argv[2] ?? "";
const command = commands[name];
try {
  if (command === undefined)
    throw new Error(`"${name}" is no command: node local/cluster/main.ts ${Object.keys(commands).join("|")}`);
  console.log(await command());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
