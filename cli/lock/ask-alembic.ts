import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { chainOrder } from "../../migrations/chain.ts";
import type { Lock } from "../../migrations/lock.ts";
import { hashFile } from "../../migrations/read-lock.ts";
import { CommandError } from "../command-error.ts";
import type { RenderedRevision } from "./annotate.ts";

/** The chain as Alembic gives it. */
export interface RenderedChain extends Pick<Lock, "versionLocations" | "heads" | "bases"> {
  /** From the bases to the heads. */
  readonly revisions: readonly RenderedRevision[];
}

/** What `ask_alembic.py` writes. */
interface Answer extends Omit<RenderedChain, "revisions"> {
  readonly revisions: readonly Omit<RenderedRevision, "sha256">[];
}

const script = join(import.meta.dirname, "ask_alembic.py");

/**
 * Asks Alembic, in offline mode and in the backend's own Python environment, for the chain and each revision's SQL.
 *
 * @param python Interpreter that has Alembic and what the backend's env.py imports.
 * @throws {CommandError} If there is no `alembic.ini`, or Alembic can't load the chain or run env.py.
 */
export async function askAlembic(backendFolder: string, python: string): Promise<RenderedChain> {
  if (!existsSync(join(backendFolder, "alembic.ini"))) {
    throw new CommandError(
      `There is no alembic.ini in ${backendFolder}: name the folder that holds it with --backend <folder>.`,
    );
  }
  const answer = await runScript(backendFolder, python);
  const revisions = chainOrder(answer.revisions).map((revision) => ({
    ...revision,
    sha256: hashFile(join(backendFolder, revision.file)),
  }));
  return { ...answer, revisions };
}

async function runScript(backendFolder: string, python: string): Promise<Answer> {
  const child = spawn(python, ["-B", script], {
    cwd: backendFolder,
    stdio: ["ignore", "pipe", "pipe"],
    // The same order of sets in each run; the script's folder on the path, whatever the user's settings say.
    env: { ...process.env, PYTHONHASHSEED: "0", PYTHONUTF8: "1", PYTHONSAFEPATH: undefined },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => reject(new CommandError(`${python} does not run: ${error.message}`)));
    child.on("close", resolve);
  });
  const [output, faults, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code === 0) return JSON.parse(output) as Answer;
  const reason = faults.trim().split("\n").at(-1) ?? "";
  if (reason.includes("No module named 'alembic'")) {
    throw new CommandError(`${python} has no Alembic: add alembic to ${join(backendFolder, "requirements.txt")}.`);
  }
  throw new CommandError(
    `Alembic can't give the chain of ${backendFolder}: ${reason}\n` +
      "The same shows with `alembic upgrade head --sql` in that folder (offline mode: no database is asked).",
  );
}
