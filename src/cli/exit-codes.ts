import { exitCodes } from "./command-error.ts";
import type { JsonDocuments } from "./json-documents.ts";

/** Commands that have a result, which `--json` prints. */
export type CommandName = keyof JsonDocuments;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a command's exit codes mean, by code; one that it never ends with is left out. */
export type Meanings = Readonly<Partial<Record<ExitCode, string>>>;

/** What the exit codes mean, whatever the command. */
export const generalMeanings: Meanings = {
  [exitCodes.success]: "done, or there was nothing to do",
  [exitCodes.differs]: "a person has to look: something is pending, differs, was refused or failed",
  [exitCodes.usage]: "wrong usage, or what was to be asked or changed can't be",
};

const state: Meanings = {
  0: "nothing to migrate: the database is at head, or ahead at a revision that the stack tolerates",
  1: "revisions are pending, nothing is deployed yet, or a person has to decide",
  2: "wrong usage, or the cluster or the database can't be asked",
};

const generated: Meanings = {
  0: "the files are written; with --check: they are what would be written",
  1: "with --check: some differ",
  2: "wrong usage, or a file can't be written",
};

/** What the exit codes of each command mean. */
export const exitCodeTable: Readonly<Record<CommandName, Meanings>> = {
  apply: {
    0: "applied, or nothing to apply",
    1: "refused by the stack's rules, or it failed",
    2: "wrong usage, nothing is deployed, or the cluster or the database can't be asked",
  },
  chain: { 0: "the chain is shown", 2: "wrong usage, or the database that was to be asked can't be" },
  check: {
    0: "the database is at the latest revision, and all checks passed",
    1: "refused by the stack's rules, the migration failed, or a check did",
    2: "wrong usage, nothing is deployed, or the cluster or the database can't be asked",
  },
  docs: generated,
  history: { 0: "the runs are shown; there may be none", 2: "wrong usage, or the database can't be asked" },
  lock: {
    0: "the lock says what Alembic says (after writing it, without --check)",
    1: "it differs (--check), or a locked revision differs and was not named with --rewrite: nothing is written",
    2: "wrong usage, or Alembic, the project or Python can't answer",
  },
  logs: { 0: "the log is shown", 2: "wrong usage, or there is no log" },
  plan: state,
  promote: {
    0: "it may be taken; with --yes: the stack's file says so",
    1: "refused: it has not succeeded in the first stack, or a person has to decide first",
    2: "wrong usage, faulty settings, or the first stack can't be read",
  },
  render: generated,
  report: {
    0: "the report is there: nothing to migrate, all checks passed; or it was made with --offline",
    1: "the report is there: revisions are pending, a check failed, nothing is deployed yet, or a person has to decide",
    2: "wrong usage, or the file can't be written; or the report is there and a part that was asked for can't be had",
  },
  restore: { 0: "done", 2: "wrong usage, or it can't be done: the database is as it was" },
  revision: { 0: "the file is made", 2: "wrong usage, or the chain or Alembic does not allow it: no file is made" },
  status: state,
  verify: { 0: "all checks passed", 1: "a check failed, or could not look", 2: "wrong usage" },
};

/** @returns The part of a command's help that says what its exit codes mean. */
export function exitCodesHelp(meanings: Meanings): string {
  return ["Exit codes:", ...Object.entries(meanings).map(([code, meaning]) => `  ${code}  ${meaning}`)].join("\n");
}
