import { extname, join, relative, sep } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterArgs, kubeconfigText } from "../src/cluster/program-target.ts";
import type { PostgresImageTarget } from "../src/cluster/wait/postgres-image.ts";
import type { WaitTarget } from "../src/cluster/wait/wait.ts";
import { projectRoot } from "../src/paths.ts";

/**
 * Returns the inputs of a command that runs one of the project's own programs. Its input is `stdin`, because Linux limits
 * an argument and a variable to 128 KiB.
 *
 * The program and its only argument are constants: no text from the configuration reaches a shell. The path is relative to
 * the folder of the Pulumi program, in which commands run, so that the state is the same on every machine.
 *
 * @param file - Path in the project without its extension, which is `.js` in the npm package.
 */
export function fixedProgram(file: string, argument: string) {
  const path = join(projectRoot, `${file}${extname(import.meta.filename)}`);
  const program = relative(process.cwd(), path).split(sep).join("/");
  return { interpreter: ["node", program], create: argument, addPreviousOutputInEnv: false };
}

/** Returns the part of a command's input that says how to reach the cluster. */
export function clusterInputs({ context, kubeconfig, clusterTimeoutSeconds }: ClusterArgs) {
  const secret = kubeconfig === undefined ? undefined : pulumi.secret(kubeconfigText(kubeconfig));
  return { context, kubeconfig: secret, clusterTimeoutSeconds };
}

/** Targets of wait commands, by kind. */
interface WaitTargets {
  readonly job: WaitTarget;
  readonly rollout: WaitTarget;
  readonly "postgres-image": PostgresImageTarget;
}

/**
 * Declares a command that waits for a workload, and fails the update with the cause. The state doesn't record a failed
 * command, so the next update waits again; a preview doesn't wait.
 *
 * @param trigger - Value that changes if there is a new state to wait for.
 */
export function waitCommand<Kind extends keyof WaitTargets>(
  name: string,
  kind: Kind,
  target: { [Key in keyof WaitTargets[Kind]]: pulumi.Input<WaitTargets[Kind][Key]> },
  trigger: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
): local.Command {
  return new local.Command(
    name,
    {
      ...fixedProgram("src/cluster/wait/main", kind),
      stdin: pulumi.jsonStringify(target),
      triggers: [trigger],
      // Progress only: the error contains standard error, and with it the cause.
      logging: local.Logging.Stdout,
    },
    options,
  );
}
