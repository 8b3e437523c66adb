import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Lock, LockedRevision } from "../../src/lockfile/lock.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { alembicPython, unity } from "./unity.ts";

/** The lockfile and the output of `pulumi-alembic lock` for a chain. */
export interface LockedChain {
  readonly output: string;
  readonly lock: Lock;
  /** Returns a revision of the lockfile. */
  revision(id: string): LockedRevision;
}

/**
 * Creates a project with a chain and locks it.
 *
 * @param files - Other files of the project, by path.
 * @param python - Interpreter with Alembic (default: that of the backend's environment).
 */
export async function lockChain(
  chain: readonly RevisionSource[],
  files: Readonly<Record<string, string>> = {},
  python?: string,
): Promise<LockedChain> {
  const project = new ChainProject(chain);
  for (const [path, text] of Object.entries(files)) project.write(path, text);
  try {
    const { code, stdout, stderr } = await unity(
      "lock",
      "--backend",
      project.folder,
      "--python",
      python ?? (await alembicPython()),
    );
    assert.equal(code, 0, stderr);
    const lock: Lock = JSON.parse(readFileSync(project.lock, "utf8"));
    return {
      output: stdout,
      lock,
      revision(id) {
        const found = lock.revisions.find((revision) => revision.id === id);
        assert.ok(found, `the lock has ${id}`);
        return found;
      },
    };
  } finally {
    project.delete();
  }
}
