/** Characters of a test's title. */
export const titleLimit = 80;

/** Returns a title with data in it, cut to the limit. */
export function shortTitle(title: string): string {
  return title.length <= titleLimit ? title : `${title.slice(0, titleLimit - 1)}…`;
}
