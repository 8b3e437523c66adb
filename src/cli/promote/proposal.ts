import { Kubectl } from "../../cluster/kubectl.ts";
import type { Live } from "../../cluster/live-state.ts";
import { objectsOf } from "../../cluster/objects.ts";
import { isMirror, nameOf } from "../../manifests/image-reference.ts";
import { planFor, readStackLive } from "../../preflight/preflight.ts";
import { loadRelease, type Release } from "../../preflight/release.ts";
import type { UpdatePlan } from "../../preflight/update-plan.ts";
import { chooseRelease, type Source } from "../../promotion/promotion.ts";
import { identify, type ReleaseRecord } from "../../promotion/record.ts";
import type { Settings } from "../../settings/settings.ts";
import { CommandError } from "../result.ts";
import { type StackOptions, withSettings } from "../stack.ts";

/** Settings to write, without the project's prefix; `null` removes a setting. */
export type SettingChanges = Readonly<Record<string, string | null>>;

/** Changes that promote a release from one stack to another. */
export interface Proposal {
  readonly from: string;
  readonly to: string;
  /** Release that `from` has recorded and this checkout contains; `null` if it can't be promoted. */
  readonly release: ReleaseRecord | null;
  /** Newest release that `to` has recorded; `null` if none or unknown. */
  readonly current: ReleaseRecord | null;
  /**
   * Plan of the next update of `to`, if pinned. If the cluster is unavailable, it starts from `current` and is not
   * pinned. `null` if neither is known.
   */
  readonly plan: UpdatePlan | null;
  /** Why the database of `to` is unavailable; `null` if it isn't. */
  readonly unavailable: string | null;
  /** Changes of the settings of `to`. */
  readonly changes: SettingChanges;
  /** Why the release can't be promoted; empty if it can. */
  readonly errors: readonly string[];
}

/** A stack's values by full key, such as `unity:image`. */
type Values = Readonly<Record<string, string>>;

/**
 * Plans a promotion, and makes no changes.
 *
 * @param values - Current values of `to`.
 * @param options - Stack of `to`.
 * @param report - Receives a line while the cluster is slow to answer.
 * @throws {CommandError} If other settings of `to` or the lockfile are invalid.
 */
export async function propose(
  from: Source,
  to: Source,
  values: Values,
  options: StackOptions,
  report: (line: string) => void,
): Promise<Proposal> {
  const checkout = loadCheckout(values);
  const chosen = chooseRelease(identify({ ...checkout, image: "", migrationImage: undefined }), from);
  const current = to.records[0] ?? null;
  const stacks = { from: from.stack, to: to.stack, current };
  if ("errors" in chosen)
    return { ...stacks, release: null, plan: null, unavailable: null, changes: {}, errors: chosen.errors };
  const release = chosen.chosen;
  const wanted: SettingChanges = { promotedFrom: from.stack, ...imageSettings(release, values) };
  const adjusted: Record<string, string> = { "unity:planHash": "" };
  for (const [key, value] of Object.entries(wanted)) adjusted[`unity:${key}`] = value ?? "";
  return withSettings(
    options,
    async (settings) => {
      const { plan, unavailable } = await planPromotion(settings, checkout, current, report);
      const planHash = unavailable === null ? (plan?.hash ?? null) : null;
      const changes = changesOf({ ...wanted, planHash }, values);
      const errors = unavailable === null ? manualActions(plan) : [];
      return { ...stacks, release, plan, unavailable, changes, errors };
    },
    (currentValues) => ({ ...currentValues, ...adjusted }),
  );
}

/**
 * Loads the release of this checkout with the stack's target revision.
 *
 * @throws {CommandError} If the checkout or the target revision is invalid.
 */
function loadCheckout(values: Values): Release {
  const targetRevision = values["unity:targetRevision"] || undefined;
  try {
    // Any migration image will do here: `from` has recorded which one it used.
    return loadRelease({ targetRevision, migrationImage: targetRevision });
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}

/** Returns both images pinned by digest, in the stack's mirror of the repository if it has one. */
function imageSettings(release: ReleaseRecord, values: Values): { image: string; migrationImage: string | null } {
  const { image, migrationImage, imageName, migrationImageName } = release;
  const pinned = (setting: string, verified: string, digest: string | null) => {
    const current = nameOf(values[`unity:${setting}`] ?? "");
    // A digest of one repository is not found in another.
    return `${isMirror(current, verified) ? current : verified}@${digest}`;
  };
  return {
    image: pinned("image", imageName, image),
    migrationImage: migrationImage === image ? null : pinned("migrationImage", migrationImageName, migrationImage),
  };
}

/** Plans the next update of `to` as if its plan were pinned. */
async function planPromotion(
  settings: Settings,
  release: Release,
  current: ReleaseRecord | null,
  report: (line: string) => void,
) {
  const planPinned = (live: Live): UpdatePlan => {
    const { hash } = planFor(live, settings, release);
    return planFor(live, { ...settings, planHash: hash ?? undefined }, release);
  };
  const plan = planPinned(await readStackLive(settings, release, new Kubectl(settings, { report })));
  if (plan.state.kind !== "unreachable") return { plan, unavailable: null };
  if (current === null) return { plan: null, unavailable: plan.message };
  const recorded: Live = {
    reading: { kind: "rows", rows: [current.head] },
    jobs: [],
    pods: [],
    objects: objectsOf([]),
  };
  return { plan: planPinned(recorded), unavailable: plan.message };
}

/** Returns what requires manual action first; not missing approvals, which the plan shows and `up` requires. */
function manualActions(plan: UpdatePlan | null): readonly string[] {
  if (plan === null || plan.job !== null) return [];
  const reasons = [...plan.adoption.rejected, ...(plan.rejection?.goingBack ?? [])];
  if (reasons.length > 0 || plan.rejection !== null) return reasons;
  return [`${plan.message} ${plan.remediation}`];
}

/** Returns the wanted settings that differ from the values. */
function changesOf(wanted: SettingChanges, values: Values): SettingChanges {
  const changes = Object.entries(wanted).filter(([key, value]) => (values[`unity:${key}`] || null) !== value);
  return Object.fromEntries(changes);
}
