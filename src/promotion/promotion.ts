import * as pulumi from "@pulumi/pulumi";
import { commandLine, isInstalled } from "../command-line.ts";
import type { Chain } from "../preflight/release.ts";
import { printable } from "../printable.ts";
import type { Settings } from "../settings/settings.ts";
import {
  identify,
  isSame,
  isSameCheckout,
  parseRecords,
  type ReleaseIdentity,
  type ReleaseRecord,
  type StackReleases,
} from "./record.ts";

/** The settings that determine which releases a stack may deploy. */
export interface PromotionSettings extends Pick<Settings, "promotedFrom" | "environment"> {
  /** Image of the app; `undefined` if it is not known yet. */
  readonly image: string | undefined;
  /** @defaultValue `image` */
  readonly migrationImage?: string | undefined;
  /**
   * Name of the app, with which the references to stacks are named, and by which its releases are found in their outputs.
   *
   * @defaultValue the program's only app
   */
  readonly app?: string | undefined;
}

/** The stack that a release is promoted from. */
export interface Source extends StackReleases {
  readonly stack: string;
  /** @defaultValue the program's only app */
  readonly app?: string | undefined;
}

/** Names of a release's parts in messages. */
const titles: Readonly<Record<keyof ReleaseIdentity, string>> = {
  head: "head",
  chain: "chain",
  sql: "SQL",
  runner: "runner",
  image: "image",
  migrationImage: "migration image",
};

/** Returns the releases that may be promoted from a source, the newest first; or why there is none. */
function stagedIn({ stack, app, records, outdated }: Source): readonly [ReleaseRecord, ...ReleaseRecord[]] | string {
  const [newest] = records;
  const [first, ...others] = records.filter(({ environment }) => environment === "staging");
  if (first !== undefined) return [first, ...others];
  if (newest === undefined) {
    const note =
      outdated > 0 ? `; ${outdated} records of an earlier version are ignored, \`pulumi up\` renews them` : "";
    return `stack ${stack} has no verified release${app === undefined ? "" : ` of app ${app}`}${note}`;
  }
  return `stack ${stack} has environment ${newest.environment}; only staging releases can be promoted`;
}

/** Returns why a release is not one that was verified in the source; empty if it is. */
export function promotionErrors(release: ReleaseIdentity, source: Source): readonly string[] {
  const staged = stagedIn(source);
  if (typeof staged === "string") return [staged];
  if (release.image === null || release.migrationImage === null)
    return ["the image is not pinned by digest; tags are mutable"];
  return staged.some((record) => isSame(record, release)) ? [] : differences(release, staged[0], source.stack);
}

/**
 * Chooses the newest release of the source that was deployed from the same checkout, or returns why there is none.
 *
 * @param checkout - The release of this checkout; its images are ignored.
 */
export function chooseRelease(
  checkout: ReleaseIdentity,
  source: Source,
): { readonly chosen: ReleaseRecord } | { readonly errors: readonly string[] } {
  const staged = stagedIn(source);
  if (typeof staged === "string") return { errors: [staged] };
  const [newest] = staged;
  const chosen = staged.find((record) => isSameCheckout(record, checkout));
  if (chosen === undefined) {
    const { image, migrationImage } = newest;
    return { errors: differences({ ...checkout, image, migrationImage }, newest, source.stack) };
  }
  if (chosen.image !== null && chosen.migrationImage !== null) return { chosen };
  return { errors: [`stack ${source.stack} ran an image of unknown digest; pin it there by digest`] };
}

function checkoutErrors(checkout: ReleaseIdentity, source: Source): readonly string[] {
  const choice = chooseRelease(checkout, source);
  return "errors" in choice ? choice.errors : [];
}

/** Describes each difference between a release and the newest one of a stack. */
function differences(release: ReleaseIdentity, newest: ReleaseRecord, stack: string): readonly string[] {
  const keys = Object.keys(titles) as (keyof ReleaseIdentity)[];
  return keys
    .filter((key) => release[key] !== newest[key])
    .map((key) => `${titles[key]}: ${shown(release[key])} (newest in ${stack}: ${shown(newest[key])})`);
}

/** Shortens a digest. */
function shown(value: string | null): string {
  if (value === null) return "not pinned by digest";
  return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 16) : value;
}

/** Describes why a release is rejected, and how to promote it. */
export function describePromotion(errors: readonly string[], from: string, to: string): string {
  return [
    `release not verified in ${from}; no changes were made:`,
    ...errors.map((error) => `  - ${error}`),
    `To deploy it there first, run: pulumi up --stack ${from}`,
    // Only Unity's own stacks have settings that the command writes.
    `Then run: ${isInstalled ? `pulumi up --stack ${to}` : commandLine("promote", "--from", from, "--to", to)}`,
  ].join("\n");
}

/** Reads the release records of an app in a stack's outputs. */
async function readRecords(name: string, stack: string, app: string | undefined): Promise<StackReleases> {
  // Every backend accepts the fully qualified name: https://www.pulumi.com/docs/iac/concepts/stacks/#stackreferences.
  const wholeName = stack.includes("/") ? stack : `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const { value } = await new pulumi.StackReference(name, { name: wholeName }).getOutputDetails("releases");
  return parseRecords(value, app);
}

/**
 * Verifies that the stack from which this one promotes its releases has deployed and verified this release.
 *
 * @returns The release records of this stack, if releases can be promoted from it.
 * @throws {pulumi.RunError} If it has not, with each difference.
 */
export async function confirmPromotion(settings: PromotionSettings, release: Chain): Promise<readonly ReleaseRecord[]> {
  const { promotedFrom, environment, app, image } = settings;
  const own = pulumi.getStack();
  const prefix = app === undefined ? "" : `${app}-`;
  if (promotedFrom !== undefined) {
    const releases = await readRecords(`${prefix}promoted-from`, promotedFrom, app);
    const source = { stack: promotedFrom, app, ...releases };
    const identity = identify({ ...release, ...settings });
    // In a preview that doesn't know the image yet, all else must be that of a release.
    const errors = image === undefined ? checkoutErrors(identity, source) : promotionErrors(identity, source);
    if (errors.length > 0) throw new pulumi.RunError(printable(describePromotion(errors, promotedFrom, own)));
  }
  return environment === "staging" ? (await readRecords(`${prefix}own-releases`, own, app)).records : [];
}
