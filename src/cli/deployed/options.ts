import type { Command } from "commander";
import { isInstalled } from "../../command-line.ts";
import { CommandError } from "../result.ts";
import { addStackOptions, addTargetOptions, type StackOptions } from "../stack.ts";

/** Options of commands on a stack of this repository, or on an app that any program has deployed. */
export interface DeployedOptions extends StackOptions {
  /** Name of the app. */
  readonly app?: string;
  /** Folder of the app with another lockfile than the deployed one. */
  readonly backend?: string;
}

/** Adds the options of {@link DeployedOptions}. Only this repository has stacks whose settings the commands can read. */
export function addDeployedOptions(command: Command): Command {
  const fallback = isInstalled ? "the only one in the namespace" : "the stack's, by its settings";
  const withTarget = isInstalled ? addTargetOptions(command) : addStackOptions(command);
  return withTarget.option("--app <name>", `app that a program has deployed; default: ${fallback}`);
}

/**
 * Whether the options select an app by what its program has put into the cluster.
 *
 * @throws {CommandError} If an option for an app is given without one.
 */
export function selectsApp({ app, backend }: DeployedOptions): boolean {
  const isApp = isInstalled || app !== undefined;
  if (!isApp && backend !== undefined) throw new CommandError("--backend requires --app");
  return isApp;
}
