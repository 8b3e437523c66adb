import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { command, http, sql } from "../../src/checks/custom.ts";
import { generalChecks } from "../../src/checks/names.ts";
import { type CheckResult, type CheckTarget, expectedOf } from "../../src/checks/result.ts";
import { runChecks } from "../../src/checks/run.ts";
import { rollout } from "../../src/cluster/wait/rollout.ts";
import { waitFor } from "../../src/cluster/wait/wait.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { restorePointsClaimSpec } from "../../src/manifests/restore-points.ts";
import { projectRoot } from "../../src/paths.ts";
import { exampleStack } from "../support/example-stack.ts";

const { UNITY_CONTEXT: context = "" } = process.env;

/** The stack's outputs. */
interface Outputs {
  readonly jobName: string;
  readonly checks: Readonly<Record<string, { readonly passed: boolean }>>;
}

/** A worker without a port, with another container before its own, and labels that name nothing. */
const worker = (namespace: string, image: string) => {
  const labels = { team: "a", tier: "worker" };
  const container = (name: string) => ({
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["sleep", "infinity"],
    env: [
      { name: "KIND", value: name === "worker" ? "app" : "other" },
      { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "notes-database", key: "DATABASE_URL" } } },
    ],
  });
  const annotations = { "kubectl.kubernetes.io/default-container": "worker" };
  const spec = { terminationGracePeriodSeconds: 1, containers: [container("proxy"), container("worker")] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "worker", namespace, labels: { team: "b" } },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec } },
  };
};

const lockFile = join(projectRoot, "examples", "notes", "app", "migrations.lock.json");

describe("another app's program with the package", () => {
  const stack = exampleStack("notes", "other-app");
  const { kubectl } = stack;
  const { namespace } = kubectl;

  /** Runs checks of the app and its worker. */
  async function check(...checks: CheckTarget["checks"]): Promise<readonly CheckResult[]> {
    const workloads = ["notes", "worker"];
    const release = { head: "0003", toleratedRevisions: [], owned: false, lockFile };
    return runChecks(expectedOf({ context, namespace, ...release, workloads, checks }, readLock(lockFile)));
  }

  it("migrates, rolls out and passes every general check", async () => {
    const engine = await stack.program.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    assert.equal(await stack.server.psql("notes", "SELECT version_num FROM alembic_version"), "0003");
    const { jobName, checks } = (await engine.outputs()) as unknown as Outputs;
    assert.match(jobName, /^notes-db-migrate-[0-9a-f]{10}$/);
    assert.deepEqual(Object.keys(checks).sort(), [...generalChecks, "http /readyz"].sort());
    assert.ok(Object.values(checks).every(({ passed }) => passed));
    const answer = await kubectl.exec("deployment/notes", "notes", ["curl", "-s", "http://localhost:9000/readyz"]);
    assert.deepEqual(JSON.parse(answer), { ready: true, revision: "0003" });
  });

  it("has none of Unity's names on the cluster", async () => {
    const kinds = "deployments,services,jobs,pods,configmaps,secrets";
    const { items } = await kubectl.get<{ items: { metadata: { name: string; labels?: Record<string, string> } }[] }>(
      kinds,
    );
    const names = items.flatMap(({ metadata }) => [metadata.name, ...Object.values(metadata.labels ?? {})]);
    assert.ok(names.includes("notes"));
    assert.deepEqual(
      names.filter((name) => name.includes("unity")),
      [],
    );
  });

  it("changes nothing the second time", async () => {
    const { exitCode, output } = await (await stack.program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(exitCode, 0, output);
  });

  it("has a worker, whose labels are its own, that is waited for and checked", async () => {
    await kubectl.run(["apply", "--server-side", "--filename=-"], JSON.stringify(worker(namespace, stack.image)));
    const lines: string[] = [];
    const target = { context, namespace, name: "worker", timeoutSeconds: 120 };
    await waitFor(kubectl, target, await rollout(kubectl, "worker"), (line) => lines.push(line));
    assert.match(lines.at(-1) ?? "", /^Rollout of worker: 1\/1 pods ready/);
    const results = await check(
      ...generalChecks,
      http("/readyz", { json: { pointer: "/ready", value: true } }),
      http("/absent", { status: 404 }),
      sql("SELECT count(*) AS notes FROM notes WHERE body LIKE '%'", [{ notes: 0 }]),
      command(["printenv", "KIND"], { workload: "worker", stdout: "app" }),
      command(["sh", "-c", "exit 3"], { workload: "worker", container: "proxy", exitCode: 3 }),
    );
    assert.deepEqual(
      results.filter(({ passed }) => !passed),
      [],
    );
  });

  it("has custom checks that fail alone, and commands that reproduce them", async () => {
    const results = await check(
      "pods",
      http("/readyz", { json: { pointer: "/revision", value: "0002" } }),
      http("/notes", { status: 201 }),
      http("/", { workload: "worker" }),
      sql("SELECT version_num FROM alembic_version", [{ version_num: "0002" }]),
      sql("DELETE FROM notes RETURNING id", []),
      sql("SELECT 1; SELECT 2", []),
      sql("SELECT pg_sleep(30)", [], { timeoutSeconds: 2, name: "slow" }),
      command(["ls", "absent"]),
      command(["sleep", "5"], { timeoutSeconds: 2, name: "hanging" }),
      command(["true"], { container: "absent", name: "no container" }),
    );
    const found = results.map(({ passed, found }) => `${passed}: ${found}`);
    for (const [index, expected] of [
      /^true: notes: 1\/1 ready; worker: 1\/1 ready$/,
      /^false: HTTP 200, \/revision is "0003"$/,
      /^false: HTTP 200: \[\]$/,
      /^false: container worker of pod worker-\S+ declares no port; set the check's port$/,
      /^false: \[\{"version_num":"0003"\}\]$/,
      /^false: .*cannot execute DELETE in a read-only transaction/,
      /^false: .*multi-query/,
      /^false: timed out after 2s$/,
      /^false: exit code 2: ls: .*absent.*: No such file or directory$/,
      /^false: kubectl timed out after 2s$/,
      /^false: .*container absent is not valid|^false: .*container not found/,
    ].entries())
      assert.match(found[index] ?? "", expected);
    assert.ok(results.every(({ seconds }) => seconds < 20));
    const [, request, , , , , , , list] = results.map((result) => result.command);
    const run = promisify(execFile);
    assert.match((await run("sh", ["-c", request ?? ""])).stdout, /^200 \{"ready":true,"revision":"0003"\}\n$/);
    await assert.rejects(run("sh", ["-c", list ?? ""]), /No such file or directory/);
  });

  it("has a worker that a check names when it fails", async () => {
    const log = "echo 'psycopg.errors.UndefinedTable: nope' > /proc/1/fd/1";
    await kubectl.exec("deployment/worker", "worker", ["sh", "-c", log]);
    const [logs] = await check("logs");
    assert.equal(logs?.found, "worker: errors in 1 of 1 lines, last: psycopg.errors.UndefinedTable: nope");
  });

  it("is rolled out when only the URL of its database changes", async () => {
    const databaseUrl = `${stack.databaseUrl}?application_name=moved`;
    const { exitCode, output } = await (await stack.program.engine({}, { databaseUrl })).run("up");
    assert.equal(exitCode, 0, output);
    const used = await kubectl.exec("deployment/notes", "notes", ["printenv", "DATABASE_URL"]);
    assert.equal(used.trim(), databaseUrl);
    assert.doesNotMatch(output, /application_name=moved/);
  });

  describe("the installed command, given only where the app is", () => {
    const options = ["--context", context, "--namespace", namespace];
    /** Runs `pulumi-alembic` as it is installed beside the program. */
    const unity = async (...args: readonly string[]) => {
      const modules = join(stack.program.folder, "..", "..", "node_modules");
      const command = join(modules, "pulumi-alembic", "dist", "src", "cli", "main.js");
      const run = promisify(execFile)(process.execPath, [command, ...args, ...options], { cwd: stack.program.folder });
      return run.catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
    };

    it("reads the app's state, plan, runs, and logs", async () => {
      assert.match(
        (await unity("status")).stdout,
        /^Database is up to date \(head 0003\)\.[\s\S]*notes-db-migrate-\w+ +complete/,
      );
      assert.match((await unity("plan")).stdout, /^Database is up to date[\s\S]*already complete/);
      const runs = JSON.parse((await unity("history", "--json")).stdout) as { outcome: string }[];
      assert.equal(runs[0]?.outcome, "succeeded");
      assert.match((await unity("logs")).stdout, /\[pod\/notes-/);
      assert.match((await unity("logs", "--job")).stdout, /0003/);
    });

    it("verifies and reports with the checks of the program", async () => {
      const results = JSON.parse((await unity("verify", "--json")).stdout) as { name: string; passed: boolean }[];
      assert.deepEqual(results.map(({ name }) => name).sort(), [...generalChecks, "http /readyz"].sort());
      assert.ok(results.every(({ passed }) => passed));
      const file = join(stack.program.folder, "report.html");
      assert.match((await unity("report", "--output", file)).stdout, /Created .*\nDatabase is up to date/);
    });

    it("takes restore points of the app, once its program enables them", async () => {
      const migration = await kubectl.get<{ data: Record<string, string> }>("configmap", "notes-migration");
      const described = JSON.parse(migration.data["migration.json"] ?? "");
      described.options.restorePointImage = process.env.UNITY_POSTGRES_IMAGE || "postgres:17";
      const claim = {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "notes-restore-points" },
        spec: restorePointsClaimSpec("64Mi"),
      };
      await kubectl.run(["apply", "--filename=-"], JSON.stringify(claim));
      // The URL of the test before has a parameter that a restore rejects.
      const url = { stringData: { DATABASE_URL: stack.databaseUrl } };
      await kubectl.run(["patch", "secret", "notes-database", "--type=merge", `--patch=${JSON.stringify(url)}`]);
      const data = { "migration.json": JSON.stringify(described) };
      await kubectl.run([
        "patch",
        "configmap",
        "notes-migration",
        "--type=merge",
        `--patch=${JSON.stringify({ data })}`,
      ]);
      const { taken } = JSON.parse((await unity("restore", "--take", "--json")).stdout) as { taken: string };
      assert.match(taken, /^notes-db-restore-/);
      const points = JSON.parse((await unity("restore", "--list", "--json")).stdout) as { name: string }[];
      assert.deepEqual(
        points.map(({ name }) => name),
        [taken],
      );
    });
  });
});
