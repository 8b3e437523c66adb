import { names } from "../../manifests/names.ts";
import { backendCommands, kubectlFor, manifestPaths, migrationCommands } from "../render/files.ts";
import type { DocumentInputs } from "./inputs.ts";
import { scriptCommand } from "./markdown.ts";

/** One way to bring the database to the latest revision, step by step. */
export interface Method {
  readonly title: string;
  readonly when: string;
  readonly steps: readonly Step[];
}

/** What to type, and what that prints if all goes well. */
export interface Step {
  readonly text: string;
  readonly commands: readonly string[];
  readonly prints?: readonly string[];
}

/** @returns What the Job's log holds when it applies the whole chain; `…` stands for a duration. */
export function jobLog({ revisions, release }: Pick<DocumentInputs, "revisions" | "release">): readonly string[] {
  const total = revisions.length;
  const latest = release.lock.heads.includes(release.head) ? "at head" : "at";
  return [
    `Database is at no revision; ${total} of ${total} revisions are pending`,
    ...revisions.map(({ position, id, title }) => `${position}/${total}  ${id}  ${title}  … s`),
    `Database is ${latest} ${release.head}`,
  ];
}

/** @returns A command in the backend's container. */
export function inBackend({ settings }: DocumentInputs, command: string): string {
  return `${kubectlFor(settings)} exec -n ${settings.namespace} deployment/${names.backend} -- ${command}`;
}

/** @returns The three ways without Pulumi, the best first. */
export function methods(inputs: DocumentInputs): readonly Method[] {
  return [byJob(inputs), byScript(inputs), byHand(inputs)];
}

function byJob(inputs: DocumentInputs): Method {
  const [remove = "", apply = "", logs = "", wait = ""] = migrationCommands(inputs.settings);
  return {
    title: "Method A: the Job (recommended)",
    when:
      "A pod of its own migrates: its log is kept, it takes the lock that keeps two migrations apart, it waits for table " +
      "locks no longer than the settings allow, and it can be tried again as often as you like.",
    steps: [
      {
        text: `Put your image into \`${manifestPaths.migration}\`, if it isn't there yet.`,
        commands: ["npm run unity -- render --image <registry>/unity-backend:<tag>"],
      },
      { text: "Remove the last Job. A Job can't be changed, only replaced.", commands: [remove] },
      { text: "Start it, and follow its log.", commands: [apply, logs], prints: jobLog(inputs) },
      {
        text: "See that it is complete.",
        commands: [wait],
        prints: [`job.batch/${names.migrateJob} condition met`],
      },
    ],
  };
}

function byScript(inputs: DocumentInputs): Method {
  const { expected } = inputs;
  return {
    title: "Method B: the script",
    when:
      "It says where the database is, does what method A does only if something is pending, in the image that the backend " +
      "runs, and verifies the result. It needs bash and kubectl.",
    steps: [
      { text: "Look, and change nothing.", commands: [`${scriptCommand} --check`] },
      {
        text: "Apply what is pending, and verify. At the latest revision it only verifies.",
        commands: [scriptCommand],
        prints: scriptOutput(inputs),
      },
      {
        text: `Its exit code is 0 only if the database is at \`${expected.head}\` and all is verified.`,
        commands: ["echo $?"],
        prints: ["0"],
      },
    ],
  };
}

/** @returns How the script's output ends where all is well. */
export function scriptOutput({ expected, settings }: DocumentInputs): readonly string[] {
  const owned = settings.database.kind === "owned";
  return [
    `Latest revision: ${expected.head}`,
    "…",
    "Verifying:",
    `  ok      the database is at ${expected.head}`,
    `  ok      every pod of ${[names.backend, ...(owned ? [names.postgres] : [])].join(", ")} runs`,
    "  ok      the backend and its database are healthy",
    "  ok      the backend lists its plugins",
    ...(owned ? [`  ok      the database has all ${expected.tables.length} tables`] : []),
    "Done.",
  ];
}

function byHand(inputs: DocumentInputs): Method {
  const { revisions, expected } = inputs;
  const runs = revisions.map(
    ({ id, title, downRevisions }) =>
      `INFO  [alembic.runtime.migration] Running upgrade ${downRevisions.join(", ")} -> ${id}, ${title}`,
  );
  return {
    title: "Method C: Alembic in the backend's pod",
    when:
      "The last resort, when no Job can be made. Alembic takes no lock against a second migration, sets no bounds on how " +
      "long it waits while the app's queries queue up behind it, and keeps no record. Make sure that nobody else migrates.",
    steps: [
      { text: "Upgrade.", commands: [inBackend(inputs, "alembic upgrade head")], prints: runs },
      {
        text: "See where the database is now.",
        commands: [inBackend(inputs, "alembic current")],
        prints: [`${expected.head} (head)`],
      },
    ],
  };
}

/** @returns How a rollout migrates without anybody's doing. */
export function byRollout({ settings }: DocumentInputs): Step {
  return {
    text:
      settings.initContainer === "upgrade"
        ? "Every pod of the backend has an init container that brings the database to its release's revision before the " +
          "app starts, under the same lock as the Job: of several pods one migrates and the others wait. A pod whose " +
          "database isn't there never serves."
        : "Every pod of the backend has an init container that waits until the database is at its release's revision, and " +
          "changes nothing: migrate first, by method A or B.",
    commands: backendCommands(settings),
    prints: [`deployment "${names.backend}" successfully rolled out`],
  };
}
