import { spawnSync } from "node:child_process";

/** Reads a repository with `git`, which it never changes. */
export class Repository {
  /** Path of the folder below the repository's root, with `/` at its end; empty for the root itself. */
  readonly prefix: string;
  readonly #folder: string;

  private constructor(folder: string, prefix: string) {
    this.#folder = folder;
    this.prefix = prefix;
  }

  /** Opens the repository that contains a folder; `undefined` without one. */
  static open(folder: string): Repository | undefined {
    const prefix = git(folder, "rev-parse", "--show-prefix");
    return prefix === undefined ? undefined : new Repository(folder, prefix.trimEnd());
  }

  /** Returns the ID of a commit; `undefined` if the name is unknown. */
  commit(name: string): string | undefined {
    return git(this.#folder, "rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`)?.trimEnd();
  }

  /** Returns the ID of the commit at which a commit and the checked-out one parted; `undefined` if the history lacks it. */
  mergeBase(commit: string): string | undefined {
    return git(this.#folder, "merge-base", "HEAD", commit)?.trimEnd();
  }

  /** Returns a file of the folder at a commit; `undefined` if the commit lacks it. */
  read(commit: string, file: string): string | undefined {
    return git(this.#folder, "show", `${commit}:./${file}`);
  }
}

function git(folder: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync("git", ["-C", folder, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout : undefined;
}
