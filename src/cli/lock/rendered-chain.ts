import { join } from "node:path";
import { chainOrder } from "../../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../../lockfile/lock.ts";
import { hashFile } from "../../lockfile/read-lock.ts";
import { runAlembicScript } from "../alembic.ts";

/** A revision as Alembic renders it. */
export type RenderedRevision = Omit<LockedRevision, "findings" | "locks">;

/** The chain as Alembic renders it. */
export interface RenderedChain extends Pick<Lock, "versionLocations" | "heads" | "bases"> {
  /** From the bases to the heads. */
  readonly revisions: readonly RenderedRevision[];
}

/** The output of `render_chain.py`. */
interface Output extends Omit<RenderedChain, "revisions"> {
  readonly revisions: readonly Omit<RenderedRevision, "sha256">[];
}

const script = join(import.meta.dirname, "render_chain.py");

/**
 * Renders the chain and each revision's SQL with Alembic's offline mode.
 *
 * @param python - Interpreter with Alembic and the packages that env.py imports.
 * @throws {CommandError} If `alembic.ini` is missing, or Alembic can't load the chain or run env.py.
 */
export async function renderChain(backendFolder: string, python: string): Promise<RenderedChain> {
  const explain = (reason: string) =>
    `Alembic can't render the chain of ${backendFolder}: ${reason}\n` +
    "To reproduce it without a database, run in that folder: alembic upgrade head --sql";
  const output = await runAlembicScript<Output>({ script, backendFolder, python, explain });
  const revisions = chainOrder(output.revisions).map((revision) => ({
    ...revision,
    sha256: hashFile(join(backendFolder, revision.file)),
  }));
  return { ...output, revisions };
}
