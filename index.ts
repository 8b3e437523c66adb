import { existingSecretVersion } from "./existing-secrets.ts";
import { confirmPromotion } from "./promotion/confirm.ts";
import { loadRelease } from "./release.ts";
import { loadSettings } from "./settings.ts";
import { showPlan } from "./update-plan.ts";

const settings = loadSettings();
const release = loadRelease(settings);
// The cluster is asked while the providers' modules load; what stops the update stops it before anything is declared.
const [job, records, secretVersion, { deploy }] = await Promise.all([
  showPlan(settings, release),
  confirmPromotion(settings, release),
  existingSecretVersion(settings),
  import("./deploy.ts"),
]);

export const { head, jobName, checks, releases } = deploy(settings, release, job, records, secretVersion);
