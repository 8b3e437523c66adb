import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { queryPod } from "../../src/checks/pod-facts.ts";
import { expectedOf } from "../../src/checks/result.ts";
import { allReviewedFiles, type Lock } from "../../src/lockfile/lock.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { lockFile, projectRoot } from "../../src/paths.ts";
import { checkTarget } from "../support/checks.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";
import { servingPod } from "../support/kubernetes.ts";

const lock = readLock(lockFile);

/** Returns the backend's chain with as many revisions before it as make `count`. */
function longChain(count: number): Lock {
  const [first] = lock.revisions;
  assert.ok(first);
  const added = Array.from({ length: count - lock.revisions.length }, (_, index) => {
    const id = `r${String(index).padStart(4, "0")}`;
    const file = `alembic/versions/2026_01_01_0000_${id}_a_title_of_usual_length.py`;
    return { ...first, id, downRevisions: index === 0 ? [] : [`r${String(index - 1).padStart(4, "0")}`], file };
  });
  const rest = lock.revisions.map((each) =>
    each === first ? { ...each, downRevisions: [added.at(-1)?.id ?? ""] } : each,
  );
  return { ...lock, bases: ["r0000"], revisions: [...added, ...rest] };
}

describe("the query of a pod", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-pod-"));
    cpSync(join(projectRoot, "backend", "alembic"), join(folder, "alembic"), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  it("compares the files of a chain of 2,500 revisions with the image", async () => {
    // Runs the command that follows `--` here instead of in a pod.
    using fake = kubectlProgram(
      `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift 2\ncd '${folder}'\nDATABASE_URL= exec python3 "$@"\n`,
    );
    const chain = longChain(2500);
    const target = checkTarget({ head: chain.heads[0] ?? "" });
    const { image } = await queryPod(fake.kubectl, servingPod("rs"), ["image"], expectedOf(target, chain));
    assert.ok(image !== undefined && "value" in image, JSON.stringify(image));
    const { files, extra } = image.value;
    assert.equal(Object.keys(files).length, 2500 + Object.keys(lock.files).length);
    assert.equal(
      Object.values(files).filter((hash) => hash !== null).length,
      Object.keys(allReviewedFiles(lock)).length,
    );
    assert.deepEqual(extra, []);
  });
});
