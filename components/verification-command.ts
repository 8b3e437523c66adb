import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type CheckTarget, parseVerification, type Verification } from "../src/checks/result.ts";
import { isKnown } from "../src/cluster/program-target.ts";
import { fixedProgram } from "./commands.ts";

/** Target of the checks, whose parts may be outputs. */
type VerificationTarget = {
  readonly [Part in keyof Omit<CheckTarget, "workloads">]: pulumi.Input<CheckTarget[Part]>;
} & { readonly workloads: readonly pulumi.Input<string>[] };

/**
 * Declares the command that runs all checks.
 *
 * @param triggers - Values that change if the checks must run again.
 * @returns What the checks verified when they last ran; `undefined` if they never ran.
 */
export function verificationCommand(
  name: string,
  target: VerificationTarget,
  triggers: readonly pulumi.Input<string>[],
  options: pulumi.CustomResourceOptions,
): pulumi.Output<Verification | undefined> {
  const { stdout } = new local.Command(
    name,
    {
      ...fixedProgram("src/checks/main", "all"),
      stdin: pulumi.jsonStringify(target),
      triggers: [...triggers],
      // Progress only: the result is on standard output, as is the cause of a failure.
      logging: local.Logging.Stderr,
    },
    options,
  );
  // The provider counts all outputs of a command with a secret input, such as a kubeconfig, as secrets.
  const output = pulumi.unsecret(stdout);
  if (pulumi.runtime.isDryRun()) return output.apply(parseVerification);
  // An update that excludes the command leaves its output unknown if it never ran.
  const ran = isKnown(output).then((known) => (known ? output : undefined));
  return pulumi.output(ran).apply(parseVerification);
}
