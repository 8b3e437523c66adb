import { statSync } from "node:fs";
import { join } from "node:path";

/** A package of Go, as `go list -json` prints it. */
interface GoPackage {
  readonly ImportPath: string;
  readonly Dir?: string;
  readonly GoFiles?: readonly string[];
}

/**
 * Returns the bytes of each package's sources, by its import path: compiling takes about as long as they are large.
 *
 * @param output - Objects of JSON, one after the other.
 */
export function sourceBytes(output: string): ReadonlyMap<string, number> {
  const objects = output.split(/^(?=\{$)/m).filter((text) => text.trim() !== "");
  return new Map(
    objects.map((text) => {
      const { ImportPath, Dir = "", GoFiles = [] } = JSON.parse(text) as GoPackage;
      const sizes = GoFiles.map((file) => statSync(join(Dir, file), { throwIfNoEntry: false })?.size ?? 0);
      return [ImportPath, sizes.reduce((sum, size) => sum + size, 0)];
    }),
  );
}

/** Share of the sources after which their speed is known. */
const known = 0.05;

/** Progress of `go build -v`, which prints each package when its compilation starts. */
export class Compilation {
  readonly #bytes: ReadonlyMap<string, number>;
  readonly #total: number;
  readonly #started: number;
  readonly #now: () => number;
  #done = 0;
  #count = 0;

  /**
   * @param bytes - See {@link sourceBytes}.
   * @param now - Returns milliseconds.
   */
  constructor(bytes: ReadonlyMap<string, number>, now: () => number = () => performance.now()) {
    this.#bytes = bytes;
    this.#total = [...bytes.values()].reduce((sum, size) => sum + size, 0);
    this.#now = now;
    this.#started = now();
  }

  /** Records that a package is compiled. Returns the progress, with the remaining time once it can be estimated. */
  add(name: string): string {
    this.#count += 1;
    const share = this.#total === 0 ? 1 : this.#done / this.#total;
    this.#done += this.#bytes.get(name) ?? 0;
    const seconds = (this.#now() - this.#started) / 1000;
    const left = share < known ? "" : `, ${minutes((seconds / share) * (1 - share))} left`;
    return `${this.#count} of ${this.#bytes.size} packages${left}, now ${name}`;
  }
}

/** Returns a time in words: `about 4 min`, or `less than 1 min`. */
function minutes(seconds: number): string {
  const rounded = Math.ceil(seconds / 60);
  return rounded <= 1 ? "less than 1 min" : `about ${rounded} min`;
}
