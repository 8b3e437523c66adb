import { isSame, isSameCheckout, type ReleaseIdentity, type ReleaseRecord } from "./record.ts";

/** A stack that a release is taken from. */
export interface Source {
  readonly stack: string;
  /** What it has recorded, the newest first. */
  readonly records: readonly ReleaseRecord[];
}

/** What each part of a release is called in a sentence. */
const titles: Readonly<Record<keyof ReleaseIdentity, string>> = {
  head: "head",
  chain: "chain",
  sql: "SQL of the chain",
  runner: "runner",
  image: "image",
  migrationImage: "image that migrates",
};

/** @returns The releases that may be taken from a source, the newest first; or why there is none. */
function stagedIn({ stack, records }: Source): readonly [ReleaseRecord, ...ReleaseRecord[]] | string {
  const [newest] = records;
  const [first, ...others] = records.filter(({ environment }) => environment === "staging");
  if (first !== undefined) return [first, ...others];
  return newest === undefined
    ? `Stack ${stack} has recorded no release that passed its checks.`
    : `Stack ${stack} is for ${newest.environment}: a release is taken from a stack for staging.`;
}

/**
 * @param release What is to be deployed.
 * @returns Why it is none that has succeeded in the source; empty if it has.
 */
export function promotionErrors(release: ReleaseIdentity, source: Source): readonly string[] {
  const staged = stagedIn(source);
  if (typeof staged === "string") return [staged];
  if (release.image === null || release.migrationImage === null)
    return ["This stack names its image by a tag, which may be moved: a release is known by its digest."];
  return staged.some((record) => isSame(record, release)) ? [] : differences(release, staged[0], source.stack);
}

/**
 * @param checkout What this checkout would deploy; its images don't matter.
 * @returns The newest release of the source that was deployed from such a checkout; or why there is none to take.
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
  return { errors: [`Stack ${source.stack} ran an image whose digest nobody knows: name it there by its digest.`] };
}

/** @returns In what a release differs from the newest one of a stack, a sentence each. */
function differences(release: ReleaseIdentity, newest: ReleaseRecord, stack: string): readonly string[] {
  const keys = Object.keys(titles) as (keyof ReleaseIdentity)[];
  return keys
    .filter((key) => release[key] !== newest[key])
    .map((key) => `${titles[key]}: this is ${shown(release[key])}, the newest of ${stack} is ${shown(newest[key])}`);
}

/** @returns A digest as people compare it. */
function shown(value: string | null): string {
  if (value === null) return "known by a tag only";
  return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 16) : value;
}

/** @returns Why a release must not be deployed, and what to do. */
export function describePromotion(errors: readonly string[], from: string, to: string): string {
  return [
    `Refused: this release has not succeeded in ${from}. Nothing was changed.`,
    ...errors.map((error) => `  - ${error}`),
    `Deploy it there first: pulumi up --stack ${from}. Then take it: npm run unity -- promote --from ${from} --to ${to}`,
  ].join("\n");
}
