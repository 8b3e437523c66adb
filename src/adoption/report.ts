import type { TakeOver } from "./adoption.ts";

/** @returns Lines on what is taken over, for people; none where nothing was set up by hand. */
export function describeTakeOver({ objects, left }: TakeOver): readonly string[] {
  return [
    ...(objects.length === 0 ? [] : ["Takes over what was set up by hand, in place:"]),
    ...objects.flatMap(({ object, keeps, changes }) => [
      `  ${object}`,
      ...keeps.map((text) => `    keeps ${text}`),
      ...changes.map((text) => `    ${text}`),
    ]),
    ...(left.length === 0 ? [] : ["Leaves as it is:"]),
    ...left.map((text) => `  ${text}`),
  ];
}

/** @returns Lines on why it is refused. */
export function describeRefused(refused: readonly string[]): readonly string[] {
  if (refused.length === 0) return [];
  return [
    "Refused: the settings don't fit what was set up by hand. Nothing was changed.",
    ...refused.map((text) => `  ${text}`),
  ];
}
