import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { projectRoot } from "../../src/paths.ts";
import { unity } from "./unity.ts";

const policies = "k8s/network/network-policies.yaml";
const [jobs, deployments] = ["k8s/jobs/migrate-database.yaml", "k8s/deployments/backend-with-migrations.yaml"];

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly annotations?: object };
  readonly data?: Record<string, string>;
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
}

describe("pulumi-alembic render", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-render-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const render = (...args: readonly string[]) => unity("render", "--output", folder, ...args);
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  const objects = (path: string) =>
    parseAllDocuments(read(path), { version: "1.1" }).map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS() as Rendered;
    });
  async function renderStack(lines: string, ...args: readonly string[]): Promise<void> {
    const file = join(folder, "stack.yaml");
    writeFileSync(file, `config:\n${lines}`);
    const { code, stderr } = await render("--config-file", file, ...args);
    assert.equal(code, 0, stderr);
  }

  it("generates the committed files", async () => {
    const { code, stdout } = await unity("render", "--check", "--stack", "dev");
    assert.equal(code, 0, stdout);
  });

  it("names objects without a hash, and references the URL only", async () => {
    await renderStack(
      "  unity:context: here\n  unity:databasePassword: { secure: v1:ciphertext:B }\n",
      "--image",
      "example/app:2",
    );
    const all = [...objects(jobs), ...objects(deployments)];
    assert.deepEqual(
      all.map(({ kind, metadata }) => [kind, metadata.name.replace(/[0-9a-f]{10}$/, "…"), metadata.namespace]),
      [
        ["ServiceAccount", "unity-migrations", "unity"],
        ["ConfigMap", "unity-db-migrate-runner-…", "unity"],
        ["Job", "unity-db-migrate", "unity"],
        ["ServiceAccount", "unity-backend", "unity"],
        ["Service", "unity-backend", "unity"],
        ["Deployment", "unity-backend", "unity"],
      ],
    );
    for (const { spec } of all.filter(({ kind }) => ["Job", "Deployment"].includes(kind))) {
      const [{ image, env } = assert.fail()] = spec.template.spec.containers;
      assert.equal(image, "example/app:2");
      const secretKeyRef = { name: "unity-database", key: "DATABASE_URL" };
      assert.deepEqual(env[0], { name: "DATABASE_URL", valueFrom: { secretKeyRef } });
    }
    assert.doesNotMatch(read(jobs) + read(deployments), /ciphertext|pulumi\.com/);
  });

  it("includes the runner's files in a ConfigMap that both reference", async () => {
    await renderStack("  unity:context: here\n");
    const configMap = objects(jobs).find(({ kind }) => kind === "ConfigMap");
    const source = readFileSync(join(projectRoot, "src", "runner", "migrate.py"), "utf8");
    assert.equal(configMap?.data?.["migrate.py"], source);
    for (const path of [jobs, deployments]) assert.ok(read(path).includes(`name: ${configMap?.metadata.name}\n`));
  });

  it("applies the stack's settings", async () => {
    const lines = ["context: there", "namespace: apart", "replicas: 3", "database: external", "restorePoint: true"];
    await renderStack(`${lines.map((line) => `  unity:${line}\n`).join("")}  unity:deadlineSeconds: 601\n`);
    const [job, deployment] = [objects(jobs), objects(deployments).find(({ kind }) => kind === "Deployment")];
    assert.deepEqual(
      job.map(({ kind, metadata }) => [kind, metadata.namespace]),
      [
        ["ServiceAccount", "apart"],
        ["ConfigMap", "apart"],
        ["PersistentVolumeClaim", "apart"],
        ["Job", "apart"],
      ],
    );
    assert.match(read(jobs), /activeDeadlineSeconds: 4801\n/);
    assert.match(read(jobs), /kubectl --context there logs -n apart job\/unity-db-migrate -f/);
    assert.match(JSON.stringify(deployment), /"replicas":3/);
    assert.ok(objects(deployments).some(({ kind }) => kind === "PodDisruptionBudget"));
    assert.match(read(policies), /port: 5432\n/);
    assert.ok(!objects(policies).some(({ metadata }) => metadata.name === "unity-to-postgres"));
  });

  it("configures the pods and their service accounts", async () => {
    const common = { tolerations: [{ key: "pool" }], serviceAccountAnnotations: { role: "shop" } };
    await renderStack(`  unity:context: there\n  unity:pods: ${JSON.stringify({ common })}\n`);
    const rendered = [...objects(jobs), ...objects(deployments)];
    const accounts = rendered.filter(({ kind }) => kind === "ServiceAccount").map(({ metadata }) => metadata);
    assert.deepEqual(
      accounts.map(({ annotations }) => annotations),
      [{ role: "shop" }, { role: "shop" }],
    );
    for (const { kind, spec } of rendered.filter(({ kind }) => ["Job", "Deployment"].includes(kind)))
      assert.match(JSON.stringify(spec), /"tolerations":\[\{"key":"pool"\}\]/, kind);
  });

  it("references a Secret for each of two roles, and lists both as required", async () => {
    const lines = ["context: there", "databaseRoles: separate", "initContainer: wait", "applicationRole: app"];
    await renderStack(lines.map((line) => `  unity:${line}\n`).join(""));
    assert.match(read(jobs), /^# Requires Secret unity-database-app in namespace unity, with key DATABASE_URL\.$/m);
    assert.match(read(jobs), /^# Requires Secret unity-migrations in namespace unity, with key DATABASE_URL\.$/m);
    assert.match(read(jobs), /- --application-role=app\n/);
    assert.ok(!objects(deployments).some((object) => JSON.stringify(object).includes("unity-migrations")));
  });

  it("needs no URLs of an external database with separate roles", async () => {
    await renderStack(
      "  unity:context: there\n  unity:databaseRoles: separate\n  unity:initContainer: wait\n  unity:database: external\n",
    );
    assert.match(read(jobs), /- --application-role=homelab_app\n/);
    const declared = objects(jobs).filter(({ kind }) => kind !== "ConfigMap"); // which holds the runner's own code
    assert.ok(!JSON.stringify(declared).includes("[secret]"));
  });

  it("reports the differing line with --check, writes nothing, and exits with 1", async () => {
    cpSync(join(projectRoot, "k8s"), join(folder, "k8s"), { recursive: true });
    writeFileSync(join(folder, deployments), read(deployments).replace("replicas: 1", "replicas: 2"));
    rmSync(join(folder, jobs));
    const { code, stdout } = await render("--check", "--stack", "dev");
    assert.equal(code, 1);
    assert.match(stdout, /^k8s\/jobs\/migrate-database\.yaml: missing$/m);
    assert.match(stdout, /yaml:\d+: found " {2}replicas: 2", expected " {2}replicas: 1"$/m);
    assert.match(stdout, /^Run: npm run unity -- render --stack dev$/m);
    assert.ok(!existsSync(join(folder, jobs)) && read(deployments).includes("replicas: 2"));
  });

  it("warns about a missing image, and rejects an invalid one", async () => {
    const example = await render("--stack", "dev");
    assert.deepEqual([example.code, /no image set.*--image/.test(example.stderr)], [0, true]);
    const wrong = await render("--stack", "dev", "--image", "no tag");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /invalid unity:image "no tag": must be/);
  });
});
