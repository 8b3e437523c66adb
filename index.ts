import { confirmPromotion } from "./promotion/confirm.ts";
import { loadRelease } from "./release/release.ts";
import { loadSettings } from "./settings.ts";
import { existingSecretVersion } from "./update/existing-secrets.ts";
import { showPlan } from "./update/plan.ts";

const settings = loadSettings();
const release = loadRelease(settings);
// What stops the update stops it before anything is declared: first that it is another release than what was tried.
const records = await confirmPromotion(settings, release);
// The cluster is asked while the providers' modules load.
const [job, secretVersion, { deploy }] = await Promise.all([
  showPlan(settings, release),
  existingSecretVersion(settings),
  import("./deploy.ts"),
]);

export const { head, jobName, checks, releases } = deploy(settings, release, job, records, secretVersion);
