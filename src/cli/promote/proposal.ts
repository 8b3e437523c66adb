import type { Live } from "../../cluster/live-state.ts";
import { objectsOf } from "../../cluster/objects.ts";
import { nameOf } from "../../manifests/image-reference.ts";
import { planFor, readStackLive } from "../../preflight/preflight.ts";
import { loadRelease, type Release } from "../../preflight/release.ts";
import type { UpdatePlan } from "../../preflight/update-plan.ts";
import { chooseRelease } from "../../promotion/promotion.ts";
import { identify, type ReleaseRecord } from "../../promotion/record.ts";
import type { Settings } from "../../settings/settings.ts";
import { CommandError } from "../result.ts";
import { type StackOptions, withSettings } from "../stack.ts";
import type { Changes } from "./stack-file.ts";

/** A stack that releases are taken from, or brought to, and what it has recorded, the newest first. */
interface Recorded {
  readonly stack: string;
  readonly records: readonly ReleaseRecord[];
}

/** What would move from one stack to another. */
export interface Proposal {
  readonly from: string;
  readonly to: string;
  /** What `from` has recorded, and this checkout is; `null` if it may not be taken. */
  readonly release: ReleaseRecord | null;
  /** What `to` has recorded last; `null` if nothing, or nobody knows. */
  readonly now: ReleaseRecord | null;
  /**
   * What the next update of `to` would do, were it pinned; by `now` where the cluster can't be asked, and then without a
   * hash. `null` where neither is known.
   */
  readonly plan: UpdatePlan | null;
  /** Why the database of `to` could not be asked; `null` if it was. */
  readonly unasked: string | null;
  /** Settings of `to` that would change. */
  readonly changes: Changes;
  /** Why it may not be taken; empty if it may. */
  readonly errors: readonly string[];
}

/** A stack's values by full key, such as `unity:image`. */
type Values = Readonly<Record<string, string>>;

/** @returns What this checkout would deploy with a target that the stack may name. @throws {CommandError} */
function loadCheckout(values: Values): Release {
  const targetRevision = values["unity:targetRevision"] || undefined;
  try {
    // Which image migrates to it, the source says.
    return loadRelease({ targetRevision, migrationImage: targetRevision });
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Finds out what would move, and changes nothing.
 *
 * @param values The settings of `to`, as they are now.
 * @param options Where they are.
 * @throws {CommandError} If the settings of `to` have other faults, or the lock has.
 */
export async function propose(from: Recorded, to: Recorded, values: Values, options: StackOptions): Promise<Proposal> {
  const checkout = loadCheckout(values);
  const chosen = chooseRelease(identify({ ...checkout, image: "", migrationImage: undefined }), from);
  const now = to.records[0] ?? null;
  const proposal = { from: from.stack, to: to.stack, release: null, now, plan: null, unasked: null, changes: {} };
  if ("errors" in chosen) return { ...proposal, errors: chosen.errors };
  const release = chosen.chosen;
  const images = imageSettings(release, values);
  const wanted = { promotedFrom: from.stack, ...images };
  return withSettings(
    options,
    async (settings) => {
      const { plan, unasked } = await planOf(settings, checkout, now);
      const changes = changesOf({ ...wanted, planHash: unasked === null ? (plan?.hash ?? null) : null }, values);
      return { ...proposal, release, plan, unasked, changes, errors: unasked === null ? hindrances(plan) : [] };
    },
    (current) => ({
      ...current,
      ...Object.fromEntries(Object.entries(wanted).map(([key, value]) => [`unity:${key}`, value ?? ""])),
      "unity:planHash": "",
    }),
  );
}

/** @returns Both images by their digests: from the registry that the stack uses already, else the source's. */
function imageSettings(release: ReleaseRecord, values: Values): { image: string; migrationImage: string | null } {
  const { image, migrationImage, imageName, migrationImageName } = release;
  const from = (key: string, name: string) => nameOf(values[key] ?? "") || name;
  return {
    image: `${from("unity:image", imageName)}@${image}`,
    migrationImage:
      migrationImage === image ? null : `${from("unity:migrationImage", migrationImageName)}@${migrationImage}`,
  };
}

/** @returns The plan as if it were pinned: a hash that is not there yet is no fault of it. */
async function planOf(settings: Settings, release: Release, now: ReleaseRecord | null) {
  const pinned = (live: Live): UpdatePlan => {
    const { hash } = planFor(live, settings, release);
    return planFor(live, { ...settings, planHash: hash ?? undefined }, release);
  };
  const live = await readStackLive(settings);
  const plan = pinned(live);
  if (plan.state.kind !== "unreachable") return { plan, unasked: null };
  const recorded = now && pinned({ reading: { kind: "rows", rows: [now.head] }, jobs: [], objects: objectsOf([]) });
  return { plan: recorded, unasked: plan.message };
}

/** @returns Why a person has to decide first; what needs an approval is shown, and `up` asks for it. */
function hindrances(plan: UpdatePlan | null): readonly string[] {
  if (plan === null || plan.job !== null) return [];
  const why = [...plan.adoption.rejected, ...(plan.rejection?.goingBack ?? [])];
  return why.length > 0 || plan.rejection !== null ? why : [`${plan.message} ${plan.remediation}`];
}

/** @returns What of the wanted settings is not so yet. */
function changesOf(wanted: Changes, values: Values): Changes {
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => (values[`unity:${key}`] || null) !== value),
  );
}
