import { names } from "../../manifests/names.ts";
import { expectedOutputs } from "../chain/expected-outputs.ts";
import { kubectlFor } from "../render/files.ts";
import type { DocumentInputs } from "./inputs.ts";
import { block, markdownOrigin, table } from "./markdown.ts";
import { byRollout, inBackend, type Method, methods, type Step } from "./methods.ts";
import { accountOf } from "./states.ts";
import { troubleshooting } from "./troubleshooting.ts";

/** @returns `DATABASE_MIGRATION_GUIDE.md`: everything an operator needs, from the first look to the last check. */
export function migrationGuide(inputs: DocumentInputs): string {
  return [
    markdownOrigin,
    "# Database migration guide",
    "How to bring the database to the latest revision, prove that it is there, and what to do if it isn't. In a hurry: " +
      "[the quick start](MIGRATION_QUICKSTART.md). What each revision does: [the status](MIGRATION_STATUS.md). The chain " +
      "as a picture: [migration-chain.txt](migration-chain.txt).",
    ...facts(inputs),
    ...prerequisites(inputs),
    ...whereItIs(inputs),
    ...withPulumi(),
    ...methods(inputs).flatMap(describeMethod),
    "## Always: the init container",
    ...describeStep(byRollout(inputs)),
    ...verification(inputs),
    ...monitoring(inputs),
    ...troubleshooting(inputs),
    ...practices,
    ...checklist(inputs),
    ...commandLine(inputs),
  ].join("\n\n");
}

function facts({ settings, expected, revisions }: DocumentInputs): string[] {
  const { application, migrations } = settings.databaseSecrets;
  const two = settings.applicationRole !== undefined;
  const rows = [
    ["context, namespace", `\`${settings.context}\`, \`${settings.namespace}\``],
    ["latest revision", `\`${expected.head}\`, the last of ${revisions.length}`],
    ["tables at it", String(expected.tables.length)],
    ["backend", `Deployment and Service \`${names.backend}\`, image \`${settings.image}\``],
    ["migration", `Job \`${names.migrateJob}\` (\`pulumi up\` appends a hash of what it does)`],
    ["database's URL", `Secret \`${application}\`, key \`DATABASE_URL\``],
    ...(two ? [["its URL for migrations", `Secret \`${migrations}\`, key \`DATABASE_URL\``]] : []),
    ...(settings.database.kind === "owned"
      ? [
          [
            "database",
            `\`${names.database}\` of \`${names.databaseOwner}\`, behind Service \`${names.postgresService}\``,
          ],
        ]
      : []),
  ];
  return [table(["what", "where"], rows)];
}

function prerequisites({ settings }: DocumentInputs): string[] {
  const kubectl = kubectlFor(settings);
  const { namespace, applicationRole } = settings;
  const { application, migrations } = settings.databaseSecrets;
  return [
    "## Before you start",
    "All commands are typed in the project's folder. `pulumi up` makes the namespace, the Secret and, if the stack owns it, " +
      "PostgreSQL. For the methods without Pulumi they must be there. Of the Secret, write one line into a file that only you " +
      "can read, `database.env`, so that the password gets into no shell's history; its special characters are percent-encoded:",
    block(["DATABASE_URL=postgresql://<user>:<password>@<host>:5432/<database>"]),
    "Where that host is a connection pooler, add a line `MIGRATION_DATABASE_URL=…` with PostgreSQL's own address: a pooler " +
      "can't keep two migrations apart. Then:",
    block(
      [
        `${kubectl} create namespace ${namespace}`,
        `${kubectl} create secret generic -n ${namespace} ${application} --from-env-file=database.env`,
        "rm database.env",
      ],
      "bash",
    ),
    ...(applicationRole === undefined
      ? []
      : [
          `That is the URL of role \`${applicationRole}\`, which serves. The URL of the role that migrates goes into a Secret ` +
            `\`${migrations}\` in the same way.`,
        ]),
  ];
}

function whereItIs(inputs: DocumentInputs): string[] {
  const [never, partial, done] = (["never-applied", "behind", "at-head"] as const).map((kind) =>
    accountOf(inputs, kind),
  );
  const row = (prints: string, account: typeof never) => [prints, account?.heading ?? "", account?.message ?? ""];
  return [
    "## Where is the database?",
    block([inBackend(inputs, "alembic current")], "bash"),
    table(
      ["it prints", "that is", "what the program says of it"],
      [
        row("nothing", never),
        row("another revision of the chain", partial),
        row(`\`${inputs.expected.head} (head)\``, done),
      ],
    ),
    "`npm run unity -- status` tells the same, and every other state too; " +
      "`npm run unity -- plan` also shows the SQL that is pending, what it locks and what the linter has against it.",
  ];
}

function withPulumi(): string[] {
  return [
    "## With Pulumi: nothing to do by hand",
    "`pulumi up` looks where the database is, migrates it by a Job, rolls the backend out only once that Job is complete, " +
      "and verifies both. `pulumi preview` shows all of it first. The three methods below are for clusters without " +
      "Pulumi, and for the day on which it can't be used.",
    block(["pulumi preview", "pulumi up"], "bash"),
  ];
}

function describeMethod({ title, when, steps }: Method): string[] {
  return [
    `## ${title}`,
    when,
    ...steps.flatMap((step, index) => describeStep({ ...step, text: `${index + 1}. ${step.text}` })),
  ];
}

function describeStep({ text, commands, prints }: Step): string[] {
  return [text, block(commands, "bash"), ...(prints === undefined ? [] : ["Expected:", block(prints, "text")])];
}

function verification(inputs: DocumentInputs): string[] {
  const { settings } = inputs;
  const checks = expectedOutputs(inputs.expected).flatMap(({ title, command, prints }, index) =>
    describeStep({ text: `${index + 1}. ${title}`, commands: [command], ...(prints.length > 0 && { prints }) }),
  );
  const psql = `psql -U ${names.databaseOwner} -d ${names.database} -c`;
  const query = "'SELECT plugin_id, status, started_at FROM plugin_executions ORDER BY started_at DESC LIMIT 5'";
  const forward = `${kubectlFor(settings)} port-forward -n ${settings.namespace} service/${names.backend} 8000`;
  return [
    "## Verify",
    "`pulumi up` and the script do the first ones by themselves; this is how to see them with your own eyes.",
    ...checks,
    `${expectedOutputs(inputs.expected).length + 1}. A plugin runs. Open <http://localhost:8000/plugins> while this goes on, enable a plugin, and run it:`,
    block([forward], "bash"),
    ...(settings.database.kind === "owned"
      ? [
          "Its execution is then a row of the database:",
          block(
            [`${kubectlFor(settings)} exec -n ${settings.namespace} deployment/${names.postgres} -- ${psql} ${query}`],
            "bash",
          ),
        ]
      : []),
  ];
}

function monitoring({ settings }: DocumentInputs): string[] {
  return [
    "## Watch it",
    "No line may tell of a database error.",
    block([`${kubectlFor(settings)} logs -n ${settings.namespace} deployment/${names.backend} --tail=50 -f`], "bash"),
  ];
}

const practices = [
  "## Best practices",
  [
    "- **Look before you act.** `pulumi preview`, `npm run unity -- plan` or `check_migrations.sh --check` change nothing.",
    "- **Review the SQL, not only the Python.** `npm run unity -- lock` writes it into `backend/migrations.lock.json`; the " +
      "diff of that file is what a reviewer reads, with the linter's findings and the locks.",
    "- **Never edit a revision that was applied anywhere.** Add another one. The lock refuses the edit, and so does the Job.",
    "- **Write revisions that the old backend survives.** It serves while the database is already new: add first, " +
      "remove in a later release.",
    "- **Keep both directions working.** `downgrade` is tested like `upgrade`.",
    "- **Take a restore point before what can't be undone**: `pulumi config set restorePoint true`. A backup that was " +
      "never restored is a hope.",
    "- **One way at a time.** The Job and the init containers take the same lock. Alembic by hand takes none.",
    "- **Don't delete a failed Job before you have read its log.** " +
      "`npm run unity -- history` shows what ran even when its Job is gone.",
  ].join("\n"),
];

function checklist({ expected, revisions }: DocumentInputs): string[] {
  const boxes = (items: readonly string[]) => items.map((item) => `- [ ] ${item}`).join("\n");
  return [
    "## Checklist",
    "Before:",
    boxes([
      `the lock records ${revisions.length} revisions and says what the files say (\`npm run unity -- lock --check\`)`,
      `the image is built from this checkout and ends at \`${expected.head}\`; the Job refuses any other`,
      "somebody has read the pending SQL and its findings (`npm run unity -- plan --full`)",
      "a restore point or a backup is there, and you know how to bring it back",
      "nobody else is migrating",
    ]),
    "After:",
    boxes([
      ...expectedOutputs(expected).map(({ title }) =>
        title.replace(/\.$/, "").replace(/^./, (first) => first.toLowerCase()),
      ),
      "a plugin that you run leaves a row in `plugin_executions`",
      "the backend's log tells of no database error",
    ]),
  ];
}

function commandLine({ commands }: DocumentInputs): string[] {
  return [
    "## The command line",
    "Each explains itself with `--help`.",
    table(
      ["command", "what it does"],
      commands.map(({ name, description }) => [`\`npm run unity -- ${name}\``, description]),
    ),
  ];
}
