import { spawnSync } from "node:child_process";

/** An identity, and no settings of the user's. */
const environment = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Test",
  GIT_AUTHOR_EMAIL: "test@example.com",
  GIT_COMMITTER_NAME: "Test",
  GIT_COMMITTER_EMAIL: "test@example.com",
};

/** A git repository in a folder. */
export class TestRepository {
  readonly folder: string;

  /** Creates the repository with the branch `main`. */
  constructor(folder: string) {
    this.folder = folder;
    this.git("init", "--quiet", "--initial-branch=main");
  }

  /** Runs git, which must succeed, and returns its output. */
  git(...args: readonly string[]): string {
    const { status, stdout, stderr } = this.try(...args);
    if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Runs git, which may fail. */
  try(...args: readonly string[]) {
    const env = { ...process.env, ...environment };
    return spawnSync("git", ["-C", this.folder, ...args], { encoding: "utf8", env });
  }

  /** Commits all files. */
  commit(message: string): void {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", message);
  }

  /** Creates and checks out a branch. */
  branch(name: string, start = "HEAD"): void {
    this.git("checkout", "--quiet", "-B", name, start);
  }
}
