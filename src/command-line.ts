import { join, resolve } from "node:path";
import { projectRoot } from "./paths.ts";
import { quote } from "./shell.ts";

/** Whether this is the installed package, which consists of JavaScript, and not its repository. */
export const isInstalled = import.meta.filename.endsWith(".js");

/** Returns a call of `pulumi-alembic` as it runs here: in the repository, or in a project that has installed the package. */
export function commandLine(...args: readonly string[]): string {
  return [isInstalled ? "npx pulumi-alembic" : "npm run unity --", ...args].join(" ");
}

/**
 * Returns a command on the chain of an app.
 *
 * @param folder - The app's folder, if it is known.
 */
export function chainCommand(name: "lock" | "rehearse" | "revision", folder?: string): string {
  const isDefault = !isInstalled && (folder === undefined || resolve(folder) === join(projectRoot, "backend"));
  return isDefault
    ? commandLine(name)
    : commandLine(name, "--backend", folder === undefined ? "<app folder>" : quote(folder));
}
