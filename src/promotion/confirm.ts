import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../preflight/release.ts";
import type { Settings } from "../settings/settings.ts";
import { describePromotion, promotionErrors } from "./compare.ts";
import { identify, parseRecords, type ReleaseRecord } from "./record.ts";

/** @returns What a stack has recorded, read from its outputs; nothing if it has no such output. */
async function readRecords(name: string, stack: string): Promise<readonly ReleaseRecord[]> {
  // The whole name is understood by every backend: https://www.pulumi.com/docs/iac/concepts/stacks/#stackreferences.
  const wholeName = stack.includes("/") ? stack : `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const { value } = await new pulumi.StackReference(name, { name: wholeName }).getOutputDetails("releases");
  return parseRecords(value);
}

/**
 * Sees to it that a stack that takes its releases from another deploys none that has not succeeded there.
 *
 * @returns What this stack itself has recorded until now, if it is one that others take releases from.
 * @throws {pulumi.RunError} With each difference, and what to do.
 */
export async function confirmPromotion(settings: Settings, release: Release): Promise<readonly ReleaseRecord[]> {
  const { promotedFrom, environment } = settings;
  const own = pulumi.getStack();
  if (promotedFrom !== undefined) {
    const source = { stack: promotedFrom, records: await readRecords("promoted-from", promotedFrom) };
    const errors = promotionErrors(identify({ ...release, ...settings }), source);
    if (errors.length > 0) throw new pulumi.RunError(describePromotion(errors, promotedFrom, own));
  }
  return environment === "staging" ? readRecords("own-releases", own) : [];
}
