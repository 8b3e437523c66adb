import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { WaitTarget } from "../src/cluster/wait/wait.ts";
import { fixedProgram } from "./fixed-program.ts";

/**
 * Declares a wait, which fails the update with the cause. A failed one is not recorded, so the next update waits again;
 * preview waits for nothing.
 *
 * @param trigger Changes when there is something new to wait for.
 */
export function waitCommand(
  name: string,
  kind: "job" | "rollout",
  target: { [Key in keyof WaitTarget]: pulumi.Input<WaitTarget[Key]> },
  trigger: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
): void {
  new local.Command(
    name,
    {
      ...fixedProgram("src/cluster/wait/main", kind),
      environment: { UNITY_WAIT: pulumi.jsonStringify(target) },
      triggers: [trigger],
      // Progress is shown; the cause, on standard error, is in the error anyway.
      logging: local.Logging.Stdout,
    },
    options,
  );
}
