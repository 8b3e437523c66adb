import { join } from "node:path";
import { chainOrder } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { hashFile } from "../../lockfile/read-lock.ts";
import { runAlembicScript } from "../alembic.ts";
import type { RenderedRevision } from "./annotate.ts";

/** The chain as Alembic gives it. */
export interface RenderedChain extends Pick<Lock, "versionLocations" | "heads" | "bases"> {
  /** From the bases to the heads. */
  readonly revisions: readonly RenderedRevision[];
}

/** The output of `render_chain.py`. */
interface Answer extends Omit<RenderedChain, "revisions"> {
  readonly revisions: readonly Omit<RenderedRevision, "sha256">[];
}

const script = join(import.meta.dirname, "render_chain.py");

/**
 * Asks Alembic, in offline mode and in the backend's own Python environment, for the chain and each revision's SQL.
 *
 * @param python Interpreter that has Alembic and what the backend's env.py imports.
 * @throws {CommandError} If there is no `alembic.ini`, or Alembic can't load the chain or run env.py.
 */
export async function queryAlembic(backendFolder: string, python: string): Promise<RenderedChain> {
  const explain = (reason: string) =>
    `Alembic can't give the chain of ${backendFolder}: ${reason}\n` +
    "The same shows with `alembic upgrade head --sql` in that folder (offline mode: no database is asked).";
  const answer = await runAlembicScript<Answer>({ script, backendFolder, python, explain });
  const revisions = chainOrder(answer.revisions).map((revision) => ({
    ...revision,
    sha256: hashFile(join(backendFolder, revision.file)),
  }));
  return { ...answer, revisions };
}
