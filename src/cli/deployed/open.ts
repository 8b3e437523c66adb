import type { Deployed } from "./deployed.ts";
import { type DeployedOptions, selectsApp } from "./options.ts";

/**
 * Opens the deployment that the options select.
 *
 * @param report - Receives lines while the cluster is slow to answer.
 * @throws {CommandError} If it isn't found.
 */
export async function openDeployed(options: DeployedOptions, report: (line: string) => void): Promise<Deployed> {
  if (selectsApp(options)) return (await import("./app.ts")).openApp(options, report);
  return (await import("./stack.ts")).openStack(options, report);
}
