import { isSame, type ReleaseIdentity, type ReleaseRecord } from "./record.ts";

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

/**
 * @param release What is to be deployed.
 * @returns Why it is none that has succeeded in the source; empty if it has.
 */
export function promotionFaults(release: ReleaseIdentity, { stack, records }: Source): readonly string[] {
  const [newest] = records;
  if (newest === undefined) return [`Stack ${stack} has recorded no release that passed its checks.`];
  const staged = records.filter(({ environment }) => environment === "staging");
  if (staged.length === 0)
    return [`Stack ${stack} is for ${newest.environment}: a release is taken from a stack for staging.`];
  if (release.image === null || release.migrationImage === null)
    return ["This stack names its image by a tag, which may be moved: a release is known by its digest."];
  if (staged.some((record) => isSame(record, release))) return [];
  return differences(release, staged[0] ?? newest, stack);
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
export function describePromotion(faults: readonly string[], from: string, to: string): string {
  return [
    `Refused: this release has not succeeded in ${from}. Nothing was changed.`,
    ...faults.map((fault) => `  - ${fault}`),
    `Deploy it there first: pulumi up --stack ${from}. Then take it: npm run unity -- promote --from ${from} --to ${to}`,
  ].join("\n");
}
