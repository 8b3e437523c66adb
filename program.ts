import * as pulumi from "@pulumi/pulumi";
import {
  confirmPromotion,
  existingSecretVersion,
  Kubectl,
  loadRelease,
  loadSettings,
  showPlan,
} from "./src/package/stack.ts";
import type { StackOutputs } from "./stack.ts";

/**
 * Reads the stack's settings and plans the update, then declares the deployment.
 *
 * @param kubectl - Queries the cluster (default: that of the settings).
 * @throws {pulumi.RunError} If the update is rejected; then nothing is declared.
 */
export async function runProgram(kubectl?: Kubectl): Promise<StackOutputs> {
  const settings = loadSettings();
  const client = kubectl ?? new Kubectl(settings, { report: pulumi.log.info });
  const release = loadRelease(settings);
  // An unverified release is rejected before its plan is.
  const records = await confirmPromotion(settings, release);
  // The cluster is queried while the providers' modules load.
  const [job, secretVersion, { deploy }] = await Promise.all([
    showPlan(settings, release, client),
    existingSecretVersion(settings, client),
    import("./stack.ts"),
  ]);
  return deploy(release, job, records, secretVersion);
}
