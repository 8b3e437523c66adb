import * as pulumi from "@pulumi/pulumi";
import { Kubectl } from "../src/cluster/kubectl.ts";
import { existingSecretVersion } from "../src/preflight/existing-secrets.ts";
import { showPlan } from "../src/preflight/preflight.ts";
import { loadRelease } from "../src/preflight/release.ts";
import { confirmPromotion } from "../src/promotion/promotion.ts";
import { loadSettings } from "../src/settings/load-settings.ts";
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
