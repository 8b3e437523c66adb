import type { Release } from "../../preflight/release.ts";
import { describePromotion, promotionErrors } from "../../promotion/compare.ts";
import { identify } from "../../promotion/record.ts";
import type { Settings } from "../../settings/settings.ts";
import { readRecords } from "../stack-outputs.ts";

/**
 * @returns Why the release is none that has succeeded in the stack that this one takes its releases from, as `pulumi up`
 *   would say; `null` if it has, or may come from anywhere.
 * @throws {CommandError} If that stack's outputs can't be read.
 */
export async function promotionRejection(settings: Settings, release: Release): Promise<string | null> {
  const { promotedFrom, environment } = settings;
  if (promotedFrom === undefined) return null;
  const source = { stack: promotedFrom, records: await readRecords(promotedFrom) };
  const errors = promotionErrors(identify({ ...release, ...settings }), source);
  return errors.length === 0 ? null : describePromotion(errors, promotedFrom, environment);
}
