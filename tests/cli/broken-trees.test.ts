import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckName } from "../../src/checks/names.ts";
import { expectedOf } from "../../src/checks/result.ts";
import { runChecks } from "../../src/checks/run.ts";
import { head } from "../../src/lockfile/lock.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject, linearChain } from "../fixtures/chains/project.ts";
import { checkTarget } from "../support/checks.ts";
import { type FakeKubectl, kubectlProgram } from "../support/fake-kubectl.ts";
import { deployment, servingPod } from "../support/kubernetes.ts";
import { brokenChains, brokenTrees } from "./broken-trees.ts";
import { alembicPython, unity } from "./unity.ts";

const backend = join(projectRoot, "backend");
const own = "postgresql://homelab_user:hunter2@postgres-service:5432/homelab_db";

describe("the checks of what is in the image", () => {
  let folder: string;
  let python: string;

  before(async () => {
    python = await alembicPython();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-tree-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** A kubectl whose pod is this machine: it executes commands in the tree. */
  function kubectlFor(tree: string, databaseUrl: string): FakeKubectl {
    const items = join(folder, "items.json");
    writeFileSync(items, JSON.stringify({ items: [...deployment(1), servingPod("rs2")] }));
    return kubectlProgram(`#!/bin/sh
case "$*" in *" get "*) exec cat ${items} ;; esac
while [ "$1" != -- ]; do shift; done
shift 2
export DATABASE_URL='${databaseUrl}'
cd ${tree} && exec ${python} -B "$@"
`);
  }

  async function failuresOf(
    lockFile: string,
    tree: string,
    databaseUrl = own,
    names: readonly CheckName[] = ["image", "database-host"],
  ): Promise<Readonly<Record<string, string>>> {
    using fake = kubectlFor(tree, databaseUrl);
    const lock = readLock(lockFile);
    const target = checkTarget({ namespace: "unity", head: head(lock), checks: names });
    const results = await runChecks(expectedOf(target, lock), () => {}, fake.kubectl);
    assert.ok(!JSON.stringify(results).includes("hunter2"));
    return Object.fromEntries(results.filter(({ passed }) => !passed).map(({ name, found }) => [name, found]));
  }

  it("pass the project's own backend", async () => {
    assert.deepEqual(await failuresOf(join(backend, "migrations.lock.json"), backend), {});
  });

  for (const { what, breach, databaseUrl = own, failed } of brokenTrees) {
    it(`find ${what}, and nothing else`, async () => {
      const tree = join(folder, "tree");
      for (const part of ["app", "alembic", "alembic.ini"])
        cpSync(join(backend, part), join(tree, part), { recursive: true });
      breach?.(tree);
      const found = await failuresOf(join(backend, "migrations.lock.json"), tree, databaseUrl);
      assert.deepEqual(Object.keys(found), Object.keys(failed));
      for (const [name, args] of Object.entries(failed)) assert.ok(found[name]?.includes(args), found[name]);
    });
  }

  it("find a revision that Alembic can't undo, and nothing else", async () => {
    const [, second] = linearChain(2);
    const project = new ChainProject([...linearChain(1), { id: "r0002", ...second, downgrade: ["pass"] }]);
    try {
      const { code, stderr } = await unity("lock", "--backend", project.folder, "--python", python);
      assert.equal(code, 0, stderr);
      const found = await failuresOf(project.lock, project.folder, own, brokenChains);
      assert.deepEqual(found, { reversible: "r0002: the downgrade does nothing" });
    } finally {
      project.delete();
    }
  });
});
