import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { documentInputs } from "../../src/cli/docs/inputs.ts";
import { jobLog, scriptOutput } from "../../src/cli/docs/release-view.ts";
import { manifestPaths } from "../../src/cli/render/files.ts";
import { withRelease } from "../../src/cli/render/run.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { labels, names, serviceAccounts } from "../../src/manifests/names.ts";
import {
  ownedDatabaseUrl,
  postgresClaimSpec,
  postgresDeploymentSpec,
  postgresServiceSpec,
} from "../../src/manifests/postgres.ts";
import { namespaceLabels, serviceAccountObject } from "../../src/manifests/security.ts";
import { runCommand, unity } from "../cli/unity.ts";
import { testNamespace } from "../support/leftovers.ts";

const { UNITY_CONTEXT: context = "", MIGRATION_IMAGE: image = "", UNITY_POSTGRES_IMAGE } = process.env;
const namespace = testNamespace("documents");
const kubectl = new Kubectl({ context, namespace });
const stack = ["--stack", "dev", "--context", context, "--namespace", namespace];
const head = "add_plugin_execution";

/** Returns PostgreSQL with its Secret, as `up` creates it. */
function database(): object {
  const metadata = (name: string) => ({ name, namespace, labels: labels(names.postgres) });
  const options = {
    image: UNITY_POSTGRES_IMAGE || "postgres:17",
    imagePullPolicy: "IfNotPresent",
    storage: "1Gi",
    secretName: names.databaseSecret,
  };
  const password = "of-the-documents";
  const account = serviceAccountObject(serviceAccounts.postgres, names.postgres);
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: namespaceLabels("restricted") } },
    { ...account, metadata: { ...account.metadata, namespace } },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: metadata(names.databaseSecret),
      stringData: { DATABASE_URL: ownedDatabaseUrl(password), POSTGRES_PASSWORD: password },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: metadata(names.postgres),
      spec: postgresClaimSpec(options.storage),
    },
    { apiVersion: "v1", kind: "Service", metadata: metadata(names.postgresService), spec: postgresServiceSpec() },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadata(names.postgres),
      spec: postgresDeploymentSpec(options),
    },
  ];
  return { apiVersion: "v1", kind: "List", items };
}

const rollout = (deployment: string) =>
  kubectl.run(["rollout", "status", `deployment/${deployment}`, "--timeout=150s"], "", 160);
const alembic = async (...command: readonly string[]) =>
  (await kubectl.exec(`deployment/${names.backend}`, names.backend, ["alembic", ...command])).trim();
const psql = async (statement: string) => {
  const command = ["psql", "-U", names.databaseOwner, "-d", names.database, "-Atc", statement];
  return (await kubectl.exec(`deployment/${names.postgres}`, names.postgres, command)).trim();
};
const jobUid = () => kubectl.run(["get", "job", names.migrateJob, "--output=jsonpath={.metadata.uid}"]);

/** Returns the inputs of the documents, without the commands. */
const inputs = () =>
  withRelease({ stack: "dev", context, namespace, image }, (settings, release) =>
    documentInputs(settings, release, []),
  );

describe("the documents for operators without Pulumi", () => {
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "unity-documents-"));
    const { code, stderr } = await unity("render", "--output", folder, ...stack, "--image", image);
    assert.equal(code, 0, stderr);
    await kubectl.run(["apply", "--filename=-"], JSON.stringify(database()));
    await rollout(names.postgres);
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
  });

  /** Runs the script; its Job's file has the example's image, as the committed one. */
  async function script(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
    const { code, stdout, stderr } = await runCommand(join(folder, "docs/operations/check_migrations.sh"), args);
    return { code, output: stdout + stderr };
  }

  /** Asserts that the output has the lines in this order; `…` matches any text. */
  function assertLines(output: string, lines: readonly string[]): void {
    const escaped = lines.map((line) => line.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", "[\\s\\S]*?"));
    assert.match(output, new RegExp(escaped.join("\\n")));
  }

  it("apply the Job by the commands in its file, with the guide's log", async () => {
    const manifest = readFileSync(join(folder, manifestPaths.migration), "utf8");
    const commands = [...manifest.matchAll(/^# {3}(.*)$/gm)].map(([, command]) => command);
    assert.equal(commands.length, 4);
    const { code, stdout, stderr } = await runCommand("bash", ["-ec", commands.join("\n")], {}, folder);
    assert.equal(code, 0, stdout + stderr);
    assertLines(stdout, jobLog(await inputs()));
  });

  it("apply the backend by kubectl: healthy, with nothing to migrate", async () => {
    await kubectl.run(["apply", `--filename=${join(folder, "k8s/deployments/backend-with-migrations.yaml")}`]);
    await rollout(names.backend);
    const curl = ["curl", "-s", "--retry", "5", "http://localhost:8000/health"];
    const health = JSON.parse(await kubectl.exec(`deployment/${names.backend}`, names.backend, curl));
    assert.deepEqual([health.status, health.components.database.revision], ["healthy", head]);
    assert.match(await kubectl.run(["logs", `deployment/${names.backend}`, "-c", "migrate"]), /Database is up to date/);
  });

  describe("and check_migrations.sh", () => {
    before(async () => assert.equal((await unity("docs", "--output", folder, ...stack)).code, 0));

    it("only verifies a database at head", async () => {
      const before = await jobUid();
      const { code, output } = await script();
      assert.equal(code, 0, output);
      assertLines(output, scriptOutput(await inputs()));
      assert.match(output, /^Database is up to date \(head add_plugin_execution\)\.$/m);
      assert.equal(await jobUid(), before);
    });

    it("shows pending revisions with --check, without changes", async () => {
      await alembic("downgrade", "8f3d9e2a1c45");
      const before = await jobUid();
      const { code, output } = await script("--check");
      assert.equal(code, 1, output);
      assert.match(
        output,
        /^Database is at 8f3d9e2a1c45, behind head add_plugin_execution\.\nNo changes were made\.$/m,
      );
      assert.deepEqual([await alembic("current"), await jobUid()], ["8f3d9e2a1c45", before]);
    });

    it("applies the pending revisions in the backend's image", async () => {
      const { code, output } = await script();
      assert.equal(code, 0, output);
      assertLines(output, scriptOutput(await inputs()));
      assert.match(output, /3 of 8 revisions are pending\n6\/8 {2}00001_add_plugins/);
      assert.equal(await alembic("current"), `${head} (head)`);
    });

    it("applies the whole chain to an uninitialized database", async () => {
      await alembic("downgrade", "base");
      const { code, output } = await script();
      assert.equal(code, 0, output);
      assert.match(output, /^Current revision: none\nDatabase is uninitialized \(no Alembic revision\)\.$/m);
      assertLines(output, jobLog(await inputs()));
    });

    it("fails with the database's error, and succeeds once the cause is fixed", async () => {
      await alembic("downgrade", "-1");
      await psql("CREATE TABLE plugin_metrics ()");
      const { code, output } = await script();
      assert.equal(code, 1, output);
      assert.match(output, /add_plugin_execution \(Plugin Execution\)[\s\S]*plugin_metrics[\s\S]*already exists/);
      assert.match(output, /^error: the migration failed$/m);
      await psql("DROP TABLE plugin_metrics");
      const again = await script();
      assert.equal(again.code, 0, again.output);
    });

    it("deletes a Job whose pod can't start", async () => {
      await alembic("downgrade", "-1");
      await kubectl.run(["delete", "secret", names.databaseSecret]);
      const { code, output } = await script();
      await kubectl.run(["apply", "--filename=-"], JSON.stringify(database()));
      assert.equal(code, 1, output);
      assert.match(output, /Job unity-db-migrate can't start: CreateContainerConfigError/);
      assert.match(output, /secret "unity-database" not found/);
      await kubectl.run(["wait", `job/${names.migrateJob}`, "--for=delete", "--timeout=60s"], "", 70);
      const again = await script();
      assert.equal(again.code, 0, again.output);
    });

    it("reports a missing table at the right revision", async () => {
      await psql("ALTER TABLE plugin_alerts RENAME TO moved");
      const { code, output } = await script();
      await psql("ALTER TABLE moved RENAME TO plugin_alerts");
      assert.equal(code, 1, output);
      assert.match(output, /missing: public\.plugin_alerts\n {2}FAILED {2}the database has all 17 tables/);
    });

    it("stops at an unknown revision", async () => {
      await psql("UPDATE alembic_version SET version_num = 'zz'");
      const { code, output } = await script();
      await psql(`UPDATE alembic_version SET version_num = '${head}'`);
      assert.equal(code, 1, output);
      assert.match(output, /^Database is at zz, which is not in the lockfile \(8 revisions\)\.$/m);
      assert.match(output, /pulumi config set toleratedRevisions zz$/m);
    });

    it("exits with 2 without a database or with an invalid option", async () => {
      const unreachable = await script("--context", "no-such-context");
      assert.equal(unreachable.code, 2, unreachable.output);
      assert.match(unreachable.output, /no-such-context/);
      for (const wrong of [["--force"], ["--context"]]) assert.equal((await script(...wrong)).code, 2);
    });
  });
});
