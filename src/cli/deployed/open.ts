import { openApp } from "./app.ts";
import type { Deployed } from "./deployed.ts";
import { type DeployedOptions, selectsApp } from "./options.ts";
import { openStack } from "./stack.ts";

/**
 * Opens the deployment that the options select.
 *
 * @param report - Receives lines while the cluster is slow to answer.
 * @throws {CommandError} If it isn't found.
 */
export async function openDeployed(options: DeployedOptions, report: (line: string) => void): Promise<Deployed> {
  return selectsApp(options) ? openApp(options, report) : openStack(options, report);
}
