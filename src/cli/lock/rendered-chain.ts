import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { chainOrder } from "../../lockfile/chain.ts";
import { singleLine } from "../../lockfile/describe.ts";
import {
  type Lock,
  type LockedAlembic,
  type LockedRevision,
  type LockedSql,
  plainAlembic,
} from "../../lockfile/lock.ts";
import { printable } from "../../printable.ts";
import { alembicCommand, runAlembicScript } from "../alembic.ts";
import { CommandError } from "../result.ts";

/** A revision as Alembic renders it. */
export type RenderedRevision = Omit<LockedRevision, "findings" | "locks" | "indexes" | "rollbackBlocker">;

/** The chain as Alembic renders it. */
export interface RenderedChain
  extends Pick<Lock, "versionLocations" | "versionTable" | "heads" | "bases" | "files" | "env"> {
  /** From the bases to the heads. */
  readonly revisions: readonly RenderedRevision[];
  /** The length of the version table's column; `null` if it has no limit. */
  readonly maxIdLength: number | null;
  readonly lines: UpgradeLines;
}

/**
 * By revision, the line of its file that executes each statement of the upgrade, or if the SQL is unknown, the one that
 * can't be rendered; `null` if no line of the file does.
 */
export type UpgradeLines = Readonly<Record<string, readonly (number | null)[]>>;

const script = join(import.meta.dirname, "render_chain.py");

/**
 * Renders the chain and each revision's SQL with Alembic's offline mode.
 *
 * @param python - Interpreter with Alembic and the packages that env.py imports.
 * @param env - Variables in addition to those of this process.
 * @throws {CommandError} If Alembic's configuration is missing, or Alembic can't load the chain or run env.py.
 */
export async function renderChain(
  backendFolder: string,
  python: string,
  alembic: LockedAlembic = plainAlembic,
  env: NodeJS.ProcessEnv = {},
): Promise<RenderedChain> {
  const explain = (reason: string) =>
    `Alembic can't render the chain of ${backendFolder}: ${reason}\n` +
    `To reproduce it without a database, run in that folder: ${alembicCommand(alembic)} --sql${flaskHint(reason, alembic)}`;
  const output = await runAlembicScript<RenderedChain>({ script, backendFolder, python, alembic, explain, env });
  rejectHidden(output);
  rejectIgnored(backendFolder, output);
  const revisions = chainOrder(output.revisions).map((revision) => ({
    ...revision,
    title: printable(singleLine(revision.title)),
    date: revision.date === null ? null : printable(singleLine(revision.date)),
    upgrade: printableReason(revision.upgrade),
    downgrade: printableReason(revision.downgrade),
    reversibleReason: revision.reversibleReason === null ? null : printable(singleLine(revision.reversibleReason)),
  }));
  return { ...output, env: printableReason(output.env), revisions };
}

/** Errors of env.py, and of the configuration, of Flask-Migrate without `flask`. */
const withoutFlask = /outside of application context|No 'script_location' key/;

function flaskHint(reason: string, { flaskApp }: LockedAlembic): string {
  if (flaskApp !== null || !withoutFlask.test(reason)) return "";
  return "\nIf it uses Flask-Migrate, pass its application: --flask-app <app>";
}

function printableReason(direction: LockedSql): LockedSql {
  return direction.sql === null ? { sql: null, reason: printable(singleLine(direction.reason)) } : direction;
}

/** @throws {CommandError} If git ignores a file: a review doesn't contain it, and neither does an image of a clone. */
function rejectIgnored(folder: string, { files, revisions }: RenderedChain): void {
  const names = [...Object.keys(files), ...revisions.flatMap(({ file, files }) => [file, ...Object.keys(files)])];
  const args = ["-C", folder, "check-ignore", "--stdin", "-z"];
  // Without git, without a repository, or for a file outside of it, git reports nothing.
  const { status, stdout } = spawnSync("git", args, { input: names.join("\0"), encoding: "utf8" });
  if (status !== 0) return;
  const ignored = stdout.split("\0").filter((name) => name !== "");
  throw new CommandError(
    `files that git ignores can't be reviewed: ${ignored.join(", ")}\n` +
      "Remove them from .gitignore, or don't read them in env.py and revisions.",
  );
}

/** @throws {CommandError} If a name has hidden characters: it can't be recorded in another form. */
function rejectHidden({ versionLocations, versionTable, files, revisions }: RenderedChain): void {
  const names: (readonly [kind: string, name: string, file: string])[] = [];
  for (const location of versionLocations) names.push(["folder", location, location]);
  for (const name of [versionTable.schema ?? "", versionTable.name]) names.push(["version table", name, "env.py"]);
  for (const file of Object.keys(files)) names.push(["file", file, file]);
  for (const { id, branchLabels, file, files } of revisions) {
    names.push(["revision", id, file]);
    for (const each of [file, ...Object.keys(files)]) names.push(["file", each, file]);
    for (const label of branchLabels) names.push(["branch label", label, file]);
  }
  const hidden = names.filter(([, name]) => printable(name) !== name || /[\n\t]/.test(name));
  if (hidden.length === 0) return;
  const lines = hidden.map(([kind, name, file]) => `  - ${kind} ${JSON.stringify(name)} (${file})`);
  throw new CommandError(`control characters or commands in names:\n${lines.join("\n")}\nRename them.`);
}
