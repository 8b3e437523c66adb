import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type CheckName, checkNames } from "../checks/names.ts";
import { type CheckResult, type Expected, parseCheckResult } from "../checks/result.ts";
import { childOptions } from "./child-options.ts";
import { fixedProgram } from "./fixed-program.ts";

/** Arguments of {@link PostDeployVerification}. */
export interface PostDeployVerificationArgs {
  /** Where to look, and what must be there. */
  readonly expected: Expected;
  /** Changes with every rollout: the checks run again when it does. */
  readonly rollout: pulumi.Input<string>;
}

/**
 * The checks, each a command that can fail the update. A failed one is not recorded, so the next update runs it again;
 * preview runs none.
 */
export class PostDeployVerification extends pulumi.ComponentResource {
  static readonly token = "unity:index:PostDeployVerification";
  /** Each check's result, by its name. */
  readonly results: Record<CheckName, pulumi.Output<CheckResult>>;

  constructor(name: string, args: PostDeployVerificationArgs, options?: pulumi.ComponentResourceOptions) {
    super(PostDeployVerification.token, name, {}, options);
    const environment = { UNITY_EXPECTED: JSON.stringify(args.expected) };
    const run = (check: CheckName) =>
      new local.Command(
        `${name}-${check}`,
        {
          ...fixedProgram("checks/main.ts", check),
          environment,
          triggers: [args.rollout],
          logging: local.Logging.None,
        },
        childOptions(this, options),
      ).stdout.apply(parseCheckResult);
    this.results = Object.fromEntries(checkNames.map((check) => [check, run(check)])) as typeof this.results;
    this.registerOutputs({ results: this.results });
  }
}
