/** A rectangle's size. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Puts rectangles on shelves, the highest first, each shelf as high as its first one.
 *
 * @param widest How wide a shelf may be; a rectangle that is wider has one to itself.
 * @param gap Between rectangles.
 * @returns The size of all, and the upper left corner of each in the order given.
 */
export function pack(
  sizes: readonly Size[],
  widest: number,
  gap: number,
): Size & { readonly places: readonly { readonly x: number; readonly y: number }[] } {
  const limit = sizes.reduce((most, { width }) => Math.max(most, width), widest);
  const order = sizes.map((size, index) => ({ size, index })).sort((a, b) => b.size.height - a.size.height);
  const places: { x: number; y: number }[] = [];
  let [x, y, shelf, width] = [0, 0, 0, 0];
  for (const { size, index } of order) {
    if (x > 0 && x + size.width > limit) [x, y, shelf] = [0, y + shelf + gap, 0];
    places[index] = { x, y };
    width = Math.max(width, x + size.width);
    x += size.width + gap;
    shelf = Math.max(shelf, size.height);
  }
  return { width, height: y + shelf, places };
}
