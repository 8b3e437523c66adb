import type { Lock } from "../../lockfile/lock.ts";
import { parseReviewedLock } from "../../lockfile/parse-lock.ts";
import { lockFileName } from "../../paths.ts";
import { quote } from "../../shell.ts";
import { emptyLock } from "../lock/run.ts";
import { CommandError } from "../result.ts";
import { baseVariables } from "./base-default.ts";
import type { Repository } from "./git.ts";

/** The branch that a pull request merges into, with its lockfile. */
export interface Base {
  /** Name of the branch, as given. */
  readonly name: string;
  /** ID of its commit. */
  readonly commit: string;
  readonly lock: Lock;
  /** The lockfile where the branches parted; `null` if the history lacks that commit. */
  readonly mergeBase: Lock | null;
}

/**
 * Reads the base's lockfile.
 *
 * @param given - Name of the base; by default, that of the CI service.
 * @throws {CommandError} If it can't be determined or read.
 */
export function readBase(repository: Repository | undefined, given: string | undefined): Base {
  if (repository === undefined)
    throw new CommandError(
      "no git repository to read the base's lockfile from\nTo review the whole chain, pass --no-base.",
    );
  const name = given ?? baseOfEnvironment() ?? "origin/HEAD";
  const commit = repository.commit(name);
  if (commit === undefined) throw new CommandError(unknownBase(name, given));
  const parted = repository.mergeBase(commit);
  const lock = lockAt(repository, commit, name);
  return { name, commit, lock, mergeBase: parted === undefined ? null : lockAt(repository, parted, parted) };
}

function baseOfEnvironment(): string | undefined {
  const branch = baseVariables.map((name) => process.env[name]).find((value) => value);
  return branch === undefined ? undefined : `origin/${branch}`;
}

function unknownBase(name: string, given: string | undefined): string {
  if (given === undefined && name === "origin/HEAD")
    return "unknown base: not a pull request, and the repository has no origin/HEAD\nPass --base <branch>, or --no-base to review the whole chain.";
  const branch = /^origin\/(.+)$/.exec(name)?.[1];
  const fetch =
    branch === undefined ? "Pass a branch or a commit of this repository." : `Run: git fetch origin ${quote(branch)}`;
  return `unknown base ${name}\n${fetch}`;
}

/** A branch without a lockfile has no reviewed revisions. */
function lockAt(repository: Repository, commit: string, name: string): Lock {
  const text = repository.read(commit, lockFileName);
  return text === undefined ? emptyLock : parseReviewedLock(text, `${name}:${repository.prefix}${lockFileName}`);
}
