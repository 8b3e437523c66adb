import type { Adoption } from "./adoption.ts";

/** @returns Lines on what is taken over, for people; none where nothing was set up by hand. */
export function describeAdoption({ objects, left }: Adoption): readonly string[] {
  return [
    ...(objects.length === 0 ? [] : ["Takes over what was set up by hand, in place:"]),
    ...objects.flatMap(({ object, preserves, changes }) => [
      `  ${object}`,
      ...preserves.map((text) => `    keeps ${text}`),
      ...changes.map((text) => `    ${text}`),
    ]),
    ...(left.length === 0 ? [] : ["Leaves as it is:"]),
    ...left.map((text) => `  ${text}`),
  ];
}

/** @returns Lines on why it is refused. */
export function describeRejected(rejected: readonly string[]): readonly string[] {
  if (rejected.length === 0) return [];
  return [
    "Refused: the settings don't fit what was set up by hand. Nothing was changed.",
    ...rejected.map((text) => `  ${text}`),
  ];
}
