import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { MigrationJob } from "../../components/migration-job.ts";
import type { MigrationPlanArgs } from "../../components/migration-plan.ts";
import { planMigration } from "../../components/plan-migration.ts";
import { PostDeployVerification } from "../../components/post-deploy-verification.ts";
import { sql } from "../../src/checks/custom.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { describeLock, parseDescriptors } from "../../src/manifests/descriptor.ts";
import { projectRoot } from "../../src/paths.ts";
import { databaseAt, type FakeAnswers, fakeKubectl } from "../support/fake-kubectl.ts";
import { find, record } from "../support/recorder.ts";
import { unityWith } from "./unity.ts";

const appFolder = join(projectRoot, "examples", "notes", "app");
const args: MigrationPlanArgs = {
  name: "notes",
  appFolder,
  image: "notes:1",
  database: { secretName: "notes-database" },
  namespace: "notes",
};

/** ConfigMap as a program declares it. */
interface ConfigMap {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Returns the ConfigMaps that describe an app, as its program declares them. */
async function described(changed: Partial<MigrationPlanArgs> = {}, verifies = true): Promise<readonly ConfigMap[]> {
  using fake = fakeKubectl();
  const { registrations } = await record({}, async () => {
    const migration = new MigrationJob("job", { plan: await planMigration({ ...args, ...changed }, fake.kubectl) });
    const checks = ["reversible", sql("SELECT 1", []), sql("SELECT 2", [])] as const;
    if (verifies) new PostDeployVerification("checks", { migration, workloads: ["web"], checks });
  });
  const names = verifies ? ["job-descriptor", "checks-descriptor"] : ["job-descriptor"];
  return names.map((name) => find(registrations, "kubernetes:core/v1:ConfigMap", name).inputs as unknown as ConfigMap);
}

const items = (...objects: readonly object[]) => ({ output: JSON.stringify({ items: objects }) });
const pod = {
  metadata: { name: "web-1", creationTimestamp: "2026-11-24T00:00:00Z" },
  spec: { containers: [{ name: "web" }] },
  status: { phase: "Running" },
};
const job = {
  metadata: { name: "notes-db-migrate-0123456789", creationTimestamp: "2026-11-24T00:00:00Z" },
  status: { conditions: [{ type: "Complete", status: "True" }] },
};

describe("commands on an app of any program", () => {
  let found: Partial<FakeAnswers>;
  let notes: readonly ConfigMap[];

  before(async () => {
    notes = await described();
    const answers = { configmaps: items(...notes), pods: items(pod), jobs: items(job) };
    found = { ...answers, backend: databaseAt(["0003"]) };
  });

  const run = (answers: Partial<FakeAnswers>, ...words: readonly string[]) =>
    unityWith(answers, ...words, "--context", "lab", "--namespace", "notes", "--app", "notes");

  it("status compares the database with the deployed lockfile, and lists Jobs", async () => {
    const { code, stdout, stderr } = await run(found, "status");
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^Database is up to date \(head 0003\)\.\n.*\n\nJOB +STATE\nnotes-db-migrate-0123456789 +complete\n/,
    );
    const behind = await run({ ...found, backend: databaseAt(["0002"]) }, "status", "--json");
    assert.equal(behind.code, 1, behind.stderr);
    assert.deepEqual(JSON.parse(behind.stdout).state, { kind: "behind", revisions: ["0002"], pending: 1 });
  });

  it("plan shows what is pending, also of another lockfile", async () => {
    const { code, stdout } = await run({ ...found, backend: databaseAt(["0002"]) }, "plan");
    assert.equal(code, 1);
    assert.match(
      stdout,
      /Pending: 1 of 3 revisions\n {2}3\/3 {2}0003 {2}Labels\n[\s\S]*Plan hash: v4-[\s\S]*Job notes-db-migrate-/,
    );
    const other = await run(found, "plan", "--backend", join(projectRoot, "backend"));
    assert.match(other.stdout, /Database is at 0003, which is not in the lockfile \(8 revisions\)/);
  });

  it("verify runs the program's checks, by their names", async () => {
    const { code, stdout, stderr } = await run(found, "verify", "reversible", "--json");
    assert.equal(code, 0, stdout + stderr);
    const [result] = JSON.parse(stdout) as { name: string; command: string }[];
    assert.equal(result?.name, "reversible");
    assert.match(result?.command ?? "", /^npm run unity -- lock --backend \S*examples\/notes\/app$/);
    const second = await run(found, "verify", "sql 2", "--json");
    assert.deepEqual(
      (JSON.parse(second.stdout) as { name: string }[]).map(({ name }) => name),
      ["sql 2"],
    );
    const unknown = await run(found, "verify", "pods");
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /unknown check pods: must be one of reversible, sql 1, sql 2\n/);
  });

  it("report contains the app's parts", async () => {
    const folder = mkdtempSync(join(tmpdir(), "unity-app-"));
    try {
      const { stdout, stderr } = await run(found, "report", "--json", "--output", join(folder, "report.html"));
      const report = JSON.parse(stdout);
      assert.deepEqual(report.target, { context: "lab", namespace: "notes", image: "notes:1" }, stderr);
      assert.deepEqual([report.live.value.state.kind, report.revisions.length], ["at-head", 3]);
      assert.equal(report.checks.value.length, 3);
      assert.equal(report.plan.value.job.name.startsWith("notes-db-migrate-"), true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("restore says how to enable restore points", async () => {
    const { code, stderr } = await run(found, "restore", "--list");
    assert.equal(code, 2);
    assert.match(
      stderr,
      /restore points are disabled\nTo enable them, pass to planMigration: policy: \{ restorePoint:/,
    );
  });

  const errors: readonly [what: string, words: readonly string[], message: RegExp][] = [
    [
      "an unknown app",
      ["--app", "other"],
      /app other not found in namespace notes \(context lab\); apps: notes, todo$/m,
    ],
    ["no namespace", ["--app", "notes"], /no namespace\nPass --namespace <name>\./],
  ];
  for (const [what, words, message] of errors) {
    it(`report ${what}, and exit with 2`, async () => {
      const todo = await described({ name: "todo" }, false);
      const target = what === "no namespace" ? [] : ["--namespace", "notes", "--context", "lab"];
      const answers = { ...found, configmaps: items(...notes, ...todo) };
      const { code, stderr } = await unityWith(answers, "status", ...words, ...target);
      assert.equal(code, 2);
      assert.match(stderr, message);
    });
  }

  it("report a namespace without apps, no answer, and an app without checks", async () => {
    const none = await run({}, "status");
    assert.equal(none.code, 2);
    assert.match(none.stderr, /no app found in namespace notes \(context lab\)\nPass --namespace <name> and/);
    const refused = await run({ configmaps: { error: "refused" } }, "history");
    assert.match(refused.stderr, /can't find the apps of namespace notes: refused/);
    const unverified = await run({ configmaps: items(...(await described({}, false))) }, "verify");
    assert.match(unverified.stderr, /app notes has no checks: its program has not declared a PostDeployVerification/);
  });

  it("report a descriptor of another version of the package", async () => {
    const [migration, ...others] = JSON.parse(JSON.stringify(notes).replaceAll('\\"version\\":1,', '\\"version\\":9,'));
    const { code, stderr } = await run({ configmaps: items(migration, ...others) }, "status");
    assert.equal(code, 2);
    assert.match(stderr, /app notes has descriptors of format 9; this command reads format 1\nInstall the version/);
  });
});

describe("descriptors of an app", () => {
  it("contain the reviewed chain, the inputs, and no database URL", async () => {
    const database = pulumi.secret("postgresql://u:s3cret@h/notes");
    const objects = await described({ database });
    assert.deepEqual(
      objects.map(({ metadata }) => [
        metadata.name,
        metadata.labels["pulumi-alembic/app"],
        metadata.labels["pulumi-alembic/descriptor"],
      ]),
      [
        ["notes-migration", "notes", "migration"],
        ["notes-verification", "notes", "verification"],
      ],
    );
    const { inputs, lock, migration } = parseDescriptors("notes", objects);
    assert.deepEqual(inputs, { image: "notes:1", secretName: "notes-database" });
    assert.deepEqual(lock, readLock(join(appFolder, "migrations.lock.json")));
    assert.equal(migration.head, "0003");
    assert.doesNotMatch(JSON.stringify(objects), /s3cret/);
  });

  it("contain the lockfile as text, compressed if large, unless it doesn't fit", async () => {
    const [migration] = await described();
    const lock = readLock(join(appFolder, "migrations.lock.json"));
    const text = readFileSync(join(appFolder, "migrations.lock.json"), "utf8");
    assert.deepEqual([migration?.data["migrations.lock.json"], migration?.binaryData], [text, undefined]);
    const compressed = describeLock(lock, { text: 100, compressed: 10_000 });
    assert.deepEqual(Object.keys(compressed), ["binaryData"]);
    const data = { ...migration?.data };
    delete data["migrations.lock.json"];
    assert.deepEqual(parseDescriptors("notes", [{ data, ...compressed }]).lock, lock);
    assert.deepEqual(describeLock(lock, { text: 100, compressed: 100 }), {});
  });

  it("keep what is known apart from an image that isn't, so that previews show it", async () => {
    const [migration] = await described({ image: pulumi.output(pulumi.unknown as string) });
    assert.equal(JSON.parse(migration?.data["migration.json"] ?? "").head, "0003");
    assert.doesNotMatch(migration?.data["inputs.json"] ?? "", /notes-database/);
  });
});
