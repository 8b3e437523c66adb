import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../preflight/release.ts";
import type { Settings } from "../settings/settings.ts";
import { describePromotion, promotionErrors } from "./compare.ts";
import { identify, parseRecords, type ReleaseRecord } from "./record.ts";

/** Reads the release records in a stack's outputs. */
async function readRecords(name: string, stack: string): Promise<readonly ReleaseRecord[]> {
  // Every backend accepts the fully qualified name: https://www.pulumi.com/docs/iac/concepts/stacks/#stackreferences.
  const wholeName = stack.includes("/") ? stack : `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const { value } = await new pulumi.StackReference(name, { name: wholeName }).getOutputDetails("releases");
  return parseRecords(value);
}

/**
 * Verifies that the stack from which this one promotes its releases has deployed and verified this release.
 *
 * @returns The release records of this stack, if releases can be promoted from it.
 * @throws {pulumi.RunError} If it has not, with each difference.
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
