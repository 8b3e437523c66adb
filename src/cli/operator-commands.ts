import { InvalidArgumentError, Option } from "commander";
import { checkNames } from "../checks/names.ts";
import type { CommandDefinition, ExitCodeMeanings } from "./command.ts";
import { addDeployedOptions } from "./deployed/options.ts";
import { addStackOptions } from "./stack.ts";

const stateExitCodes: ExitCodeMeanings = {
  0: "the database is up to date, or ahead at a tolerated revision",
  1: "revisions are pending, nothing is deployed, or manual action is required",
  2: "invalid usage, or the cluster or the database is unavailable",
};

/** Commands on a stack's release and its database. */
export const operatorCommands: readonly CommandDefinition[] = [
  {
    name: "apply",
    description: "Apply pending revisions without Pulumi, with the plan and the rules of `pulumi up`.",
    configure: (command) =>
      addStackOptions(command).addOption(
        new Option("--method <method>", "how to apply them").choices(["job", "exec"]).default("job"),
      ),
    help: `Methods:
  job   run the migration Job of \`pulumi up\` under the same name; the next \`pulumi up\` adopts it
  exec  run the same runner in the backend's pod, if that has the plan's image; without a restore point. If the command is
        interrupted, the open transaction is rolled back`,
    exitCodes: {
      0: "applied, or nothing to apply",
      1: "rejected by the stack's rules, or failed",
      2: "invalid usage, nothing is deployed, or the cluster or the database is unavailable",
    },
    progress: "Applying",
    load: () => import("./apply/apply.ts"),
  },
  {
    name: "history",
    description: "Show the recorded migration runs, oldest first.",
    configure: (command) =>
      addDeployedOptions(command).addOption(
        new Option("--limit <count>", "maximum runs to show").default(20).argParser(parsePositiveInteger),
      ),
    exitCodes: { 0: "success, even without runs", 2: "invalid usage, or the database is unavailable" },
    progress: "Querying the database",
    load: () => import("./history.ts"),
  },
  {
    name: "logs",
    description: "Show the log of the app or of the newest migration Job, with database errors marked.",
    configure: (command) =>
      addDeployedOptions(command)
        .option("-f, --follow", "stream new log lines; with --json, one object per line")
        .option("--job", "show the whole log of the newest migration Job")
        .addOption(
          new Option("--tail <lines>", "last lines to show of each pod").default(50).argParser(parseNonNegativeInteger),
        ),
    help: 'Lines with a database error start with "! ".',
    exitCodes: { 0: "success", 2: "invalid usage, or no log is available" },
    load: () => import("./logs.ts"),
  },
  {
    name: "migrate",
    description: "Show the current revision and the head, apply pending revisions with the migration Job, and verify.",
    configure: addStackOptions,
    exitCodes: {
      0: "the database is at the latest revision and all checks passed",
      1: "rejected by the stack's rules, or the migration or a check failed",
      2: "invalid usage, nothing is deployed, or the cluster or the database is unavailable",
    },
    progress: "Migrating",
    load: () => import("./migrate.ts"),
  },
  {
    name: "plan",
    description: "Show what `pulumi up` will do to the database: pending revisions with their SQL, and the Job.",
    configure: (command) =>
      addDeployedOptions(command)
        .option("--backend <folder>", "with --app: folder with the lockfile to plan with; default: the deployed one")
        .option("--full", "show full statements, which JSON always has"),
    exitCodes: stateExitCodes,
    progress: "Planning",
    load: () => import("./plan.ts"),
  },
  {
    name: "promote",
    description: "Promote a verified release to another stack: show the changes, and write the settings.",
    configure: (command) =>
      command
        .option("--from <stack>", "stack that has verified the release; default: promotedFrom of the other stack")
        .option("--to <stack>", "stack to promote to", "production")
        .option("--config-file <file>", "path of the configuration file of --to")
        .option("--yes", "write the settings"),
    help: `Reads the releases that --from has recorded (\`pulumi stack output\`) and shows what this checkout will change in --to: image,
revisions with their SQL, required approvals. With --yes, it writes the image digest and, if the database is available, the
plan's hash into the file of --to. \`pulumi up\` evaluates the release again.`,
    exitCodes: {
      0: "the release can be promoted; with --yes, the settings were written",
      1: "rejected: --from has not verified the release, or manual action is required",
      2: "invalid usage or settings, or the outputs of --from can't be read",
    },
    progress: "Reading both stacks",
    load: () => import("./promote/run.ts"),
  },
  {
    name: "report",
    description: "Write a report on the release and its database as one HTML file: plan, checks, runs, chain, schema.",
    configure: (command) =>
      addDeployedOptions(command)
        .option("--image <reference>", "image of the app; default: the deployed one, or the stack's")
        .option("--output <file>", "file to write", "unity-report.html")
        .option("--offline", "don't contact a cluster or read a stack; report only chain and schema"),
    help: `The file is self-contained, without scripts. Unavailable parts show the reason.
The checks are those of \`pulumi-alembic verify\`, which executes a plugin and cleans up. With --json, no file is written.`,
    exitCodes: {
      0: "report written: the database is up to date and all checks passed; or --offline",
      1: "report written: revisions are pending, a check failed, nothing is deployed, or manual action is required",
      2: "invalid usage, the file can't be written, or a part of the report is unavailable",
    },
    progress: "Reporting",
    load: () => import("./report/run.ts"),
  },
  {
    name: "restore",
    description: "Restore the database from a restore point, or take one.",
    configure: (command) =>
      addDeployedOptions(command)
        .argument("[restore-point]", "name, as shown by --list")
        .option("--list", "list the restore points, oldest first")
        .option("--take", "take a restore point now")
        .option("--yes", "confirm the restore"),
    help: `The restore is one transaction. Data written after the restore point is lost, so stop writers first:
kubectl scale deployment/<name> --replicas=0. Afterwards the database is at the restore point's revision: deploy
the release that ends there; otherwise \`pulumi up\` applies the later revisions again.`,
    exitCodes: { 0: "restored, taken, or listed", 2: "invalid usage, or it failed: the database is unchanged" },
    progress: "Waiting for the restore Job",
    load: () => import("./restore/run.ts"),
  },
  {
    name: "status",
    description: "Show the database's revision and the migration Jobs.",
    configure: (command) =>
      addDeployedOptions(command).option("--metrics", "print revision and last run as OpenMetrics, for a collector"),
    exitCodes: stateExitCodes,
    progress: "Querying the database",
    load: () => import("./status.ts"),
  },
  {
    name: "verify",
    description: "Run the checks that `pulumi up` runs after a rollout.",
    configure: (command) => addDeployedOptions(command).argument("[check...]", "names of checks; default: all"),
    help: `Checks: ${checkNames.join(", ")}.
\`execution\` executes a plugin with the API, looks for its row in the database, and removes the row.`,
    exitCodes: { 0: "all checks passed", 1: "a check failed or couldn't run", 2: "invalid usage" },
    progress: "Checking",
    load: () => import("./verify.ts"),
  },
];

function parsePositiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a positive integer.");
  return Number(text);
}

function parseNonNegativeInteger(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError("It must be a non-negative integer.");
  return Number(text);
}
