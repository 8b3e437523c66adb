import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type CheckResults, type CheckTarget, parseResults } from "../src/checks/result.ts";
import { childOptions } from "./children.ts";
import { fixedProgram } from "./commands.ts";

/** Arguments of {@link PostDeployVerification}. */
export interface PostDeployVerificationArgs {
  /** Cluster, namespace, and release to verify. */
  readonly target: CheckTarget;
  /** Value that changes with every rollout, after which the checks run again. */
  readonly rollout: pulumi.Input<string>;
}

/**
 * Verifies a deployed release with all checks, and fails the update if one fails. One command runs them, because they share
 * their queries. The state doesn't record a failed run, so the next update runs the checks again; a preview runs none.
 *
 * @example
 * ```ts
 * const verification = new PostDeployVerification(
 *   "verification",
 *   {
 *     target: { ...target, app, head: chain.head, toleratedRevisions: [], owned: false, checks: generalChecks },
 *     rollout: service.rollout,
 *   },
 *   { dependsOn: service },
 * );
 * ```
 */
export class PostDeployVerification extends pulumi.ComponentResource {
  static readonly token = "unity:index:PostDeployVerification";
  /** Results of the checks, by name. */
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
    const outputs = { results: checks.stdout.apply(parseResults) };
    this.results = outputs.results;
    this.registerOutputs(outputs);
  }
}
