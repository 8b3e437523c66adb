import { InvalidArgumentError, Option } from "commander";
import { checkNames } from "../checks/names.ts";
import type { CommandDefinition, ExitCodeMeanings } from "./command.ts";
import { addStackOptions } from "./stack.ts";

const stateExitCodes: ExitCodeMeanings = {
  0: "nothing to migrate: the database is at head, or ahead at a revision that the stack tolerates",
  1: "revisions are pending, nothing is deployed yet, or a person has to decide",
  2: "wrong usage, or the cluster or the database can't be asked",
};

/** Commands on a stack's release and its database. */
export const operatorCommands: readonly CommandDefinition[] = [
  {
    name: "apply",
    description: "Apply the pending revisions without Pulumi, by the plan and the rules of `pulumi up`.",
    configure: (command) =>
      addStackOptions(command).addOption(
        new Option("--method <method>", "how").choices(["job", "exec"]).default("job"),
      ),
    help: `Methods:
  job   the migrate Job that \`pulumi up\` makes, under the same name: the next \`pulumi up\` takes it over
  exec  \`alembic upgrade\` in the backend's pod; without retries, a restore point or a record of the run`,
    exitCodes: {
      0: "applied, or nothing to apply",
      1: "refused by the stack's rules, or it failed",
      2: "wrong usage, nothing is deployed, or the cluster or the database can't be asked",
    },
    progress: "Applying",
    load: () => import("./apply/apply.ts"),
  },
  {
    name: "history",
    description: "Show the migrations that ran on the database, as it keeps them, oldest first.",
    configure: (command) =>
      addStackOptions(command).addOption(
        new Option("--limit <count>", "the newest so many").default(20).argParser(parsePositiveInteger),
      ),
    exitCodes: { 0: "the runs are shown; there may be none", 2: "wrong usage, or the database can't be asked" },
    progress: "Asking the database",
    load: () => import("./history.ts"),
  },
  {
    name: "logs",
    description: "Show the backend's log, or the newest migrate Job's, with database errors marked.",
    configure: (command) =>
      addStackOptions(command)
        .option("-f, --follow", "go on with what comes; with --json, one object a line")
        .option("--job", "the migrate Job's, all of it")
        .addOption(
          new Option("--tail <lines>", "the last so many lines of each pod").default(50).argParser(parseWholeNumber),
        ),
    help: 'A line that tells of a database error begins with "! ".',
    exitCodes: { 0: "the log is shown", 2: "wrong usage, or there is no log" },
    load: () => import("./logs.ts"),
  },
  {
    name: "migrate",
    description: "Show the current and the latest revision, apply what is pending by the migrate Job, and verify.",
    configure: addStackOptions,
    exitCodes: {
      0: "the database is at the latest revision, and all checks passed",
      1: "refused by the stack's rules, the migration failed, or a check did",
      2: "wrong usage, nothing is deployed, or the cluster or the database can't be asked",
    },
    progress: "Migrating",
    load: () => import("./migrate.ts"),
  },
  {
    name: "plan",
    description: "Show what `pulumi up` would do to the database: the pending revisions with their SQL, and the Job.",
    configure: (command) => addStackOptions(command).option("--full", "show whole statements; JSON has them anyway"),
    exitCodes: stateExitCodes,
    progress: "Planning",
    load: () => import("./plan.ts"),
  },
  {
    name: "promote",
    description: "Bring what has succeeded in staging to production: show what would move, and write the settings.",
    configure: (command) =>
      command
        .option(
          "--from <stack>",
          "stack that it has succeeded in; else the one that the other stack's promotedFrom names",
        )
        .option("--to <stack>", "stack to bring it to", "production")
        .option("--config-file <file>", "the configuration of --to, wherever it is")
        .option("--yes", "write the settings"),
    help: `Reads what the first stack has recorded, by \`pulumi stack output\`, and shows what of it this checkout would bring to the
second: image, revisions with their SQL, what needs an approval. With --yes it writes the image by its digest and, where
the database can be asked, the plan's hash into the second stack's file. \`pulumi up\` judges by itself, whatever was written.`,
    exitCodes: {
      0: "it may be taken; with --yes: the stack's file says so",
      1: "refused: it has not succeeded in the first stack, or a person has to decide first",
      2: "wrong usage, faulty settings, or the first stack can't be read",
    },
    progress: "Reading what both stacks have",
    load: () => import("./promote/run.ts"),
  },
  {
    name: "report",
    description: "Write a report of the release and its database as one HTML file: plan, checks, runs, chain, schema.",
    configure: (command) =>
      addStackOptions(command)
        .option("--image <reference>", "the backend's image, instead of the stack's")
        .option("--output <file>", "the file to write", "unity-report.html")
        .option("--offline", "ask no cluster and read no stack's file: chain and schema from the lock alone"),
    help: `The file needs no network, no other file and no script. A part that can't be had says why; the rest is there.
The checks are those of \`unity verify\`, which execute a plugin and remove what that left. With --json no file is written.`,
    exitCodes: {
      0: "the report is there: nothing to migrate, all checks passed; or it was made with --offline",
      1: "the report is there: revisions are pending, a check failed, nothing is deployed yet, or a person has to decide",
      2: "wrong usage, or the file can't be written; or the report is there and a part that was asked for can't be had",
    },
    progress: "Reporting",
    load: () => import("./report/run.ts"),
  },
  {
    name: "restore",
    description: "Put the database back to a restore point that was taken before a migration.",
    configure: (command) =>
      addStackOptions(command)
        .argument("[restore-point]", "its name, as --list shows it")
        .option("--list", "show the restore points, oldest first")
        .option("--yes", "do it, without which nothing is done"),
    help: `The database is put back in one transaction: all of it, or nothing if that fails. What was written since is lost, so stop
what writes first: kubectl scale deployment/unity-backend --replicas=0. Afterwards the database is at the restore point's
revision: deploy the release that ends there, or \`pulumi up\` applies what came after it anew.`,
    exitCodes: { 0: "done", 2: "wrong usage, or it can't be done: the database is as it was" },
    progress: "Waiting for the restore Job",
    load: () => import("./restore/run.ts"),
  },
  {
    name: "status",
    description: "Show which revision the database is at, and the migrate Jobs that are there.",
    configure: addStackOptions,
    exitCodes: stateExitCodes,
    progress: "Asking the database",
    load: () => import("./status.ts"),
  },
  {
    name: "verify",
    description: "Run the checks that `pulumi up` runs after a rollout.",
    configure: (command) => addStackOptions(command).argument("[check...]", "names of checks; else all"),
    help: `Checks: ${checkNames.join(", ")}.
\`execution\` executes a plugin by the API, looks for its row in the database, and removes it again.`,
    exitCodes: { 0: "all checks passed", 1: "a check failed, or could not look", 2: "wrong usage" },
    progress: "Checking",
    load: () => import("./verify.ts"),
  },
];

function parsePositiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}

function parseWholeNumber(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 0.");
  return Number(text);
}
