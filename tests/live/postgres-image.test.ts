import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterImages } from "../../local/images/import.ts";
import type { Run, Verb } from "../../local/pulumi.ts";
import { newestServingPod } from "../../src/cluster/pods.ts";
import { names } from "../../src/manifests/names.ts";
import { projectRoot } from "../../src/paths.ts";
import { type CommandResult, unity } from "../cli/unity.ts";
import { postgresFixtureImage } from "../support/images.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("postgres-image");
const { kubectl } = stack;
const own = process.env.UNITY_POSTGRES_IMAGE || "postgres:17";
const page = readFileSync(join(projectRoot, "docs/how-to/upgrade-postgresql.md"), "utf8");

const run = async (verb: Verb, values: Record<string, string> = {}, ...flags: string[]): Promise<Run> =>
  (await stack.engine(values)).run(verb, flags);
const psql = async (statement: string): Promise<string> => {
  const command = ["psql", "-U", names.databaseOwner, "-d", names.database, "-Atqc", statement];
  return (await kubectl.exec("deployment/postgres", "postgres", command)).trim();
};

async function succeeds(...args: Parameters<typeof run>): Promise<string> {
  const { exitCode, output } = await run(...args);
  assert.equal(exitCode, 0, output);
  return output;
}

/** Returns the image by digest: another reference to the same content. */
async function byDigest(): Promise<string> {
  const [name = ""] = own.split(":");
  const found = (await clusterImages()).find(({ reference }) => reference.startsWith(`${name}@`));
  return found?.reference ?? assert.fail(`no image ${name} by digest`);
}

describe("another PostgreSQL image", () => {
  let pod: string;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "unity-postgres-image-"));
    await succeeds("up");
    pod = await newestServingPod(kubectl, names.postgres);
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await stack.remove();
  });

  /** Returns the Jobs that tried images and are kept, as they failed. */
  async function imageJobs(): Promise<readonly string[]> {
    const jobs = await kubectl.run(["get", "jobs", "--output=name"]);
    return jobs.split("\n").filter((job) => job.includes(names.postgresImageJob));
  }

  /** Asserts that the pod of before still serves. */
  async function assertRunning(): Promise<void> {
    assert.equal(await newestServingPod(kubectl, names.postgres), pod);
    assert.equal(await psql("SELECT version_num FROM alembic_version"), "add_plugin_execution");
  }

  it("that is missing fails `up`, and PostgreSQL keeps running", async () => {
    const { exitCode, output } = await run("up", { postgresImage: `${own}-missing` });
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /can't pull image \S+-missing /);
    assert.match(output, /PostgreSQL keeps running with its current image/);
    await assertRunning();
  });

  it("of another major version is rejected by preview if its tag says so", async () => {
    const { exitCode, output } = await run("preview", { postgresImage: "postgres:99" });
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /image postgres:99 contains PostgreSQL 99, which can't open the data of PostgreSQL 1\d; /);
  });

  it("of another major version is rejected by `up`, and PostgreSQL keeps running", async () => {
    const dockerfile =
      "ARG BASE=postgres:17\nFROM $BASE\nCOPY postgres /usr/local/bin/\nENV PATH=/usr/local/bin:/usr/bin:/bin\n";
    writeFileSync(join(folder, "Dockerfile"), dockerfile);
    writeFileSync(join(folder, "postgres"), '#!/bin/sh\necho "postgres (PostgreSQL) 99.1"\n', { mode: 0o755 });
    const { exitCode, output } = await run("up", { postgresImage: await postgresFixtureImage(folder) });
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /contains PostgreSQL 99, which can't open the data of PostgreSQL 1\d; /);
    assert.match(output, /see docs\/how-to\/upgrade-postgresql\.md/);
    await assertRunning();
  });

  it("of the same version is proven once, replaces the pod, and keeps the data", async () => {
    const values = { postgresImage: await byDigest() };
    const before = await imageJobs();
    await psql("CREATE TABLE kept AS SELECT 1 AS id");
    const output = await succeeds("up", values);
    assert.match(output, /can be pulled: postgres \(PostgreSQL\) 1\d/);
    assert.notEqual(await newestServingPod(kubectl, names.postgres), pod);
    assert.equal(await psql("SELECT id FROM kept"), "1");
    assert.deepEqual(await imageJobs(), before, "its Job was deleted");
    await succeeds("preview", values, "--expect-no-changes");
  });

  it("is reached by dump and restore, as the page describes", async () => {
    /** Runs a command that the page contains. */
    const kubectlStep = async (command: string): Promise<void> => {
      assert.ok(page.includes(`\n${command}\n`), command);
      await kubectl.run(
        command.split(" ").filter((word) => !["kubectl", "-n", "unity"].includes(word)),
        "",
        120,
      );
    };
    const unityStep = async (...args: string[]): Promise<CommandResult> => {
      const result = await unity(...args, "--config-file", stack.configFile);
      assert.equal(result.code, 0, result.stderr);
      return result;
    };
    const points = { restorePoint: "true" };
    await succeeds("up", { ...points, postgresImage: await byDigest() });
    const stopWrites = "kubectl scale -n unity deployment/unity-backend --replicas=0";
    await kubectlStep(stopWrites);
    const { taken } = JSON.parse((await unityStep("restore", "--take", "--json")).stdout) as { taken: string };
    const listed = JSON.parse((await unityStep("restore", "--list", "--json")).stdout) as {
      name: string;
      check: string;
    }[];
    assert.equal(listed.find(({ name }) => name === taken)?.check, "verified");
    await kubectlStep("kubectl delete -n unity deployment/postgres");
    await kubectlStep("kubectl delete -n unity persistentvolumeclaim/postgres");

    await succeeds("up", { ...points, postgresImage: own }, "--refresh");
    assert.equal(await psql("SELECT to_regclass('kept') IS NULL"), "t", "a new, empty database");
    await kubectlStep(stopWrites);
    await unityStep("restore", taken, "--yes");
    await succeeds("up", { ...points, postgresImage: own }, "--refresh");
    assert.equal(await psql("SELECT id FROM kept"), "1");
    await succeeds("preview", { ...points, postgresImage: own }, "--expect-no-changes");
  });
});
