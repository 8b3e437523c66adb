import { nameLabel, names } from "../../manifests/names.ts";
import { kubectlFor } from "../render/files.ts";
import type { DocumentInputs } from "./inputs.ts";
import { block } from "./markdown.ts";
import { stateAccounts } from "./states.ts";

/** @returns The guide's part on what may be wrong: every state of the database, then migrations that fail. */
export function troubleshooting(inputs: DocumentInputs): string[] {
  const states = stateAccounts(inputs).flatMap(({ heading, symptom, message, remediation }) => [
    `### ${heading}`,
    symptom,
    `> ${message}`,
    `${remediation}${/[.:]$/.test(remediation) || remediation.includes("kubectl") ? "" : "."}`,
  ]);
  return [
    "## Troubleshooting",
    "First: where is the database? These are all the states that there are. The quoted sentence is what `preview`, `up` " +
      "and `npm run unity -- status` say, with revisions of this chain as examples; what to do follows. Without Pulumi, " +
      "take method A or B where it says `pulumi up`.",
    ...states,
    ...failures(inputs),
  ];
}

function failures({ settings }: DocumentInputs): string[] {
  const kubectl = kubectlFor(settings);
  const { namespace, timeouts, databaseSecrets } = settings;
  return [
    "### The migration failed",
    "A revision that fails is rolled back: the database stays at the revision before it, and the old backend keeps " +
      "serving. The error names the revision, the statement and PostgreSQL's SQLSTATE.",
    block(
      [
        `${kubectl} logs -n ${namespace} job/${names.migrateJob}      # the Job that was applied by hand`,
        `${kubectl} logs -n ${namespace} -l ${nameLabel}=${names.migrateJob} --prefix   # those of pulumi up`,
        "npm run unity -- history",
      ],
      "bash",
    ),
    "If the revision is wrong, correct it, lock it, build the image and try again. If the cause was outside, such as a " +
      "database that was down, just try again.",
    "### The migration waits, or ends with `lock timeout`",
    `Somebody holds a lock on a table that the revision needs. A statement waits ${timeouts.lockTimeoutSeconds} s ` +
      `(\`lockTimeoutSeconds\`), lets the app's queries pass, and tries again until the Job's ${timeouts.deadlineSeconds} s ` +
      "(`deadlineSeconds`) are over. The log names the sessions in the way. End what holds the lock, or try when less goes on.",
    "### `another migration holds the lock`",
    "Two migrations never run at once. The message names the holder; wait for it. The lock belongs to that session, so it is free " +
      "as soon as its pod is gone: there is nothing to clean up.",
    "### The Job's pod does not start",
    block(
      [
        `${kubectl} get pods -n ${namespace}`,
        `${kubectl} describe job -n ${namespace} ${names.migrateJob}`,
        `${kubectl} get events -n ${namespace} --sort-by=.lastTimestamp`,
      ],
      "bash",
    ),
    "`ErrImagePull`: the image's name or the registry's credentials. `CreateContainerConfigError`: the Secret " +
      `\`${databaseSecrets.migrations}\` or its key is missing. No pod at all: a quota or a policy refuses it, and the Job's events ` +
      "say which.",
    "### `… is not the reviewed one of revision …`",
    "The image was built from other files than the lock records. Build it from this checkout. Nothing was changed.",
    "### The backend does not become ready after a good migration",
    "The old pods serve on. Its init container and its own log tell why:",
    block(
      [
        `${kubectl} logs -n ${namespace} deployment/${names.backend} -c migrate`,
        `${kubectl} logs -n ${namespace} deployment/${names.backend} -c ${names.backend} --previous`,
      ],
      "bash",
    ),
    "### It has to be undone",
    "With a restore point: `npm run unity -- restore --list`, then `npm run unity -- restore <restore-point> --yes`. " +
      "Or go back along the chain. Two images are needed, as only the newer one knows how to undo its revisions; a restore " +
      "point is taken first, and the plan shows what is undone:",
    block(
      [
        "pulumi config set targetRevision <id>                              # where to",
        "pulumi config set image <registry>/unity-backend:<older tag>       # serves: its chain ends there",
        "pulumi config set migrationImage <registry>/unity-backend:<tag>    # migrates: it has the whole chain",
        "pulumi config set allowDowngrade true",
        "pulumi config set restorePoint true",
        "pulumi up",
      ],
      "bash",
    ),
    "Every fault that was tried on a real cluster, with what holds after it, is in [faults.md](../faults.md).",
  ];
}
