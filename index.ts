import { existingSecretVersion } from "./src/preflight/existing-secrets.ts";
import { showPlan } from "./src/preflight/preflight.ts";
import { loadRelease } from "./src/preflight/release.ts";
import { confirmPromotion } from "./src/promotion/promotion.ts";
import { loadSettings } from "./src/settings/load-settings.ts";

const settings = loadSettings();
const release = loadRelease(settings);
// An unverified release is rejected before its plan is.
const records = await confirmPromotion(settings, release);
// The cluster is queried while the providers' modules load.
const [job, secretVersion, { deploy }] = await Promise.all([
  showPlan(settings, release),
  existingSecretVersion(settings),
  import("./components/stack.ts"),
]);

export const { head, jobName, checks, releases } = deploy(settings, release, job, records, secretVersion);
