import { loadRelease } from "./release.ts";
import { loadSettings } from "./settings.ts";
import { showPlan } from "./update-plan.ts";

const settings = loadSettings();
const release = loadRelease(settings);
// The cluster is asked while the providers' modules load; what stops the update stops it before anything is declared.
const [job, { deploy }] = await Promise.all([showPlan(settings, release), import("./deploy.ts")]);

export const { head, jobName, checks } = deploy(settings, release, job);
