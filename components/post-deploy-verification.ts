import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { verificationErrors } from "../src/checks/custom.ts";
import {
  type CheckResults,
  type CheckTarget,
  type DeclaredRelease,
  describeErrors,
  parseVerification,
} from "../src/checks/result.ts";
import type { ClusterTarget } from "../src/cluster/kubectl.ts";
import type { ProgramTarget } from "../src/cluster/program-target.ts";
import { childOptions } from "./children.ts";
import { clusterInputs, fixedProgram } from "./commands.ts";

/** Arguments of {@link PostDeployVerification}. */
export interface PostDeployVerificationArgs {
  /** Cluster, namespace, and release to verify. */
  readonly target: Omit<CheckTarget, keyof ClusterTarget> & ProgramTarget;
  /** Value that changes with every rollout, after which the checks run again. */
  readonly rollout: pulumi.Input<string>;
}

/**
 * Verifies a deployed release with its checks, and fails the update if one fails. One command runs them, because they share
 * their queries. The state doesn't record a failed run, so the next update runs the checks again; a preview runs none.
 *
 * @example
 * ```ts
 * const verification = new PostDeployVerification(
 *   "verification",
 *   {
 *     target: {
 *       ...target,
 *       head: chain.head,
 *       toleratedRevisions: [],
 *       owned: false,
 *       lockFile: "app/migrations.lock.json",
 *       workloads: ["web", "worker"],
 *       checks: [...generalChecks, http("/healthz"), sql("SELECT count(*) FROM plans", [{ count: 3 }])],
 *     },
 *     rollout: service.rollout,
 *   },
 *   { dependsOn: service },
 * );
 * ```
 */
export class PostDeployVerification extends pulumi.ComponentResource {
  static readonly token = "unity:index:PostDeployVerification";
  /** Results of the checks, by name; `undefined` if they have never run. */
  readonly results: pulumi.Output<CheckResults | undefined>;
  /** Release that the checks have verified: that of their last run, which an update of other resources doesn't change. */
  readonly release: pulumi.Output<DeclaredRelease | undefined>;

  constructor(name: string, args: PostDeployVerificationArgs, options?: pulumi.ComponentResourceOptions) {
    super(PostDeployVerification.token, name, {}, options);
    const errors = verificationErrors(args.target);
    if (errors.length > 0) throw new pulumi.ResourceError(describeErrors(errors), this, true);
    const checks = new local.Command(
      `${name}-checks`,
      {
        ...fixedProgram("src/checks/main", "all"),
        stdin: pulumi.jsonStringify({ ...args.target, ...clusterInputs(args.target) }),
        triggers: [args.rollout],
        // Progress only: the result is on standard output, as is the cause of a failure.
        logging: local.Logging.Stderr,
      },
      childOptions(this, options),
    );
    // The provider counts all outputs of a command with a secret input, such as a kubeconfig, as secrets.
    const verification = pulumi.unsecret(checks.stdout).apply(parseVerification);
    const outputs = {
      results: verification.apply((verified) => verified?.results),
      release: verification.apply((verified) => verified?.release),
    };
    this.results = outputs.results;
    this.release = outputs.release;
    this.registerOutputs(outputs);
  }
}
