import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type CheckResults, type CheckTarget, parseResults } from "../src/checks/result.ts";
import { childOptions } from "./child-options.ts";
import { fixedProgram } from "./fixed-program.ts";

/** Arguments of {@link PostDeployVerification}. */
export interface PostDeployVerificationArgs {
  /** Where to look, and for which release. */
  readonly target: CheckTarget;
  /** Changes with every rollout: the checks run again when it does. */
  readonly rollout: pulumi.Input<string>;
}

/**
 * All checks, in one command that fails the update if one of them does, and names each that did. They share what they
 * ask, which separate commands could not. A failed run is not recorded, so the next update runs them again; preview runs
 * none.
 */
export class PostDeployVerification extends pulumi.ComponentResource {
  static readonly token = "unity:index:PostDeployVerification";
  /** Each check's result, by its name. */
  readonly results: pulumi.Output<CheckResults>;

  constructor(name: string, args: PostDeployVerificationArgs, options?: pulumi.ComponentResourceOptions) {
    super(PostDeployVerification.token, name, {}, options);
    const checks = new local.Command(
      `${name}-checks`,
      {
        ...fixedProgram("src/checks/main", "all"),
        environment: { UNITY_CHECKS: JSON.stringify(args.target) },
        triggers: [args.rollout],
        logging: local.Logging.None,
      },
      childOptions(this, options),
    );
    this.results = checks.stdout.apply(parseResults);
    this.registerOutputs({ results: this.results });
  }
}
