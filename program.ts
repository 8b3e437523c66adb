import type { Kubectl } from "./cluster/kubectl.ts";
import type { StackOutputs } from "./deploy.ts";
import { confirmPromotion } from "./promotion/confirm.ts";
import { loadRelease } from "./release/release.ts";
import { loadSettings } from "./settings.ts";
import { existingSecretVersion } from "./update/existing-secrets.ts";
import { showPlan } from "./update/plan.ts";

/**
 * Reads the stack's settings and plans the update, then declares the deployment.
 *
 * @param kubectl - Queries the cluster (default: that of the settings).
 * @throws {pulumi.RunError} If the update is rejected; then nothing is declared.
 */
export async function runProgram(kubectl?: Kubectl): Promise<StackOutputs> {
  const settings = loadSettings();
  const release = loadRelease(settings);
  // An unverified release is rejected before its plan is.
  const records = await confirmPromotion(settings, release);
  // The cluster is queried while the providers' modules load.
  const [job, secretVersion, { deploy }] = await Promise.all([
    showPlan(settings, release, kubectl),
    existingSecretVersion(settings, kubectl),
    import("./deploy.ts"),
  ]);
  return deploy(settings, release, job, records, secretVersion);
}
