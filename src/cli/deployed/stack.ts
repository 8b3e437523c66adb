import { Kubectl } from "../../cluster/kubectl.ts";
import { type Live, readLive } from "../../cluster/live-state.ts";
import { workloadSelector } from "../../cluster/pods.ts";
import { readRuns } from "../../cluster/run-records.ts";
import { readStatistics } from "../../cluster/table-statistics.ts";
import { head } from "../../lockfile/lock.ts";
import { readTimes } from "../../lockfile/measured-times.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { unity } from "../../manifests/app.ts";
import { names } from "../../manifests/names.ts";
import { defaultRestorePointTimeoutSeconds } from "../../manifests/timeouts.ts";
import { lockFile } from "../../paths.ts";
import { stackRemedies } from "../../plan/remedies.ts";
import { checkTarget } from "../../preflight/options.ts";
import type { StackLive } from "../../preflight/preflight.ts";
import type { Settings } from "../../settings/settings.ts";
import { concealed, readSettings, type StackOptions, withSettings } from "../stack.ts";
import type { Deployed, DeployedState } from "./deployed.ts";

/** Options of a stack whose image may be another one. */
interface ReleaseOptions extends StackOptions {
  readonly image?: string;
}

/** State of a stack, with what its plan needs. */
interface StackState extends DeployedState {
  readonly live: Live;
}

/** A stack of this repository, as its settings say. */
export interface DeployedStack extends Deployed {
  readonly settings: Settings;
  readState(): Promise<StackState>;
  plan(state: StackState): ReturnType<Deployed["plan"]>;
}

/**
 * Reads a stack's settings, of which some may be invalid or missing.
 *
 * @throws {CommandError} If no context is set.
 */
export async function openStack(options: ReleaseOptions, report: (line: string) => void): Promise<DeployedStack> {
  const settings = await readSettings(options);
  const { context, namespace, clusterTimeoutSeconds, database } = settings;
  const target = { context, namespace, clusterTimeoutSeconds };
  const kubectl = new Kubectl(target, { report });
  const owned = database.kind === "owned";
  const lock = readLock(lockFile);
  return {
    settings,
    target,
    kubectl,
    app: unity,
    lock,
    targetOptions: settings,
    remedies: stackRemedies,
    timeouts: settings.timeouts,
    driftOptions: settings,
    image: options.image ?? (settings.image || undefined),
    logArgs: [workloadSelector(names.backend), `--container=${names.backend}`],
    async readState() {
      const [live, { planAdoption }, { ownership }] = await Promise.all([
        readLive(kubectl, owned, { ...lock, times: readTimes(lockFile) }),
        import("../../adoption/adoption.ts"),
        import("../../adoption/owners.ts"),
      ]);
      const { reading, jobs, pods, objects } = live;
      return {
        reading,
        jobs,
        pods,
        adoption: planAdoption(objects, { ...ownership(settings), target, level: settings.podSecurityStandard }),
        live,
      };
    },
    plan: async ({ live }) => {
      const { readDrift } = await import("../../plan/drift.ts");
      return planFrom({ ...live, drift: await readDrift(live.reading, lock, settings) }, options);
    },
    readRuns: () => readRuns(kubectl, { owned }),
    readStatistics: () => readStatistics(kubectl, lock, { owned }),
    checkTarget: () => checkTarget(settings, { head: settings.targetRevision ?? head(lock) }),
    restoreOptions: () => withSettings(options, restoreOptions),
  };
}

/** Plans as the program does. A plan doesn't depend on passwords, so the stack may lack them. */
async function planFrom(live: StackLive, options: ReleaseOptions): ReturnType<Deployed["plan"]> {
  const [{ loadRelease }, { planFor }] = await Promise.all([
    import("../../preflight/release.ts"),
    import("../../preflight/preflight.ts"),
  ]);
  const overrides: Record<string, string> = {
    "unity:databasePassword": concealed,
    "unity:databaseUrl": concealed,
  };
  if (options.image !== undefined) overrides["unity:image"] = options.image;
  return withSettings(
    options,
    (settings) => ({ ...planFor(live, settings, loadRelease(settings)), approvals: settings.approvals }),
    (values) => ({ ...values, ...overrides }),
  );
}

function restoreOptions(settings: Settings): Awaited<ReturnType<Deployed["restoreOptions"]>> {
  const { imagePullPolicy, restorePoint, databaseSecrets, databaseTls: tls, timeouts, pods } = settings;
  if (restorePoint === undefined) return undefined;
  const { restorePointTimeoutSeconds: timeoutSeconds = defaultRestorePointTimeoutSeconds } = timeouts;
  const { image } = restorePoint;
  const secretName = databaseSecrets.migrations;
  return { app: unity, image, imagePullPolicy, secretName, tls, timeoutSeconds, pod: pods.migration };
}
