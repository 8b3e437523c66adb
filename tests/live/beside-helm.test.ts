import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";
import { exampleStack } from "../support/example-stack.ts";
import { blocksOf } from "../support/pages.ts";

const page = readFileSync(join(projectRoot, "docs/how-to/argo-cd-and-helm.md"), "utf8");
const program = blocksOf(page).find(({ marks }) => marks.file === "index.ts")?.text ?? "";

/** A Deployment as Helm or Argo CD apply it: without a gate, with labels of its own. */
function deployment(image: string, url: string): object {
  const labels = { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "notes" };
  const env = [{ name: "DATABASE_URL", value: url }];
  const container = { name: "app", image, env, readinessProbe: { httpGet: { path: "/readyz", port: 9000 } } };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "notes", labels }, spec };
}

describe("a program that migrates for a Deployment of Helm or Argo CD", () => {
  const stack = exampleStack("notes", "beside-helm");
  const { kubectl } = stack;
  /** Fields of the Deployment with their managers, except for the status. */
  const fields = async () => {
    const args = ["get", "deployment/notes", "--show-managed-fields", "--output=json"];
    const { metadata } = JSON.parse(await kubectl.run(args)) as {
      metadata: { managedFields: { subresource?: string }[] };
    };
    return metadata.managedFields.filter(({ subresource }) => subresource !== "status");
  };

  before(async () => {
    writeFileSync(join(stack.program.folder, "index.ts"), program);
    await kubectl.run(["apply", "--filename=-"], JSON.stringify(deployment(stack.image, stack.databaseUrl)));
    const running = ["wait", "pods", "--selector=app.kubernetes.io/instance=notes", "--timeout=120s"];
    await kubectl.run([...running, "--for=jsonpath={.status.phase}=Running"], "", 130);
  });

  it("reads the database's revision in its pods, before the first migration", async () => {
    const { exitCode, output } = await (await stack.program.engine()).run("preview");
    assert.equal(exitCode, 0, output);
    assert.match(output, /Database is uninitialized[\s\S]*Pending: 3 of 3 revisions[\s\S]*CREATE TABLE notebooks/);
  });

  it("migrates, verifies the database, and leaves the Deployment as it was applied", async () => {
    const applied = await fields();
    assert.equal(applied.length, 1);
    const engine = await stack.program.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    assert.equal(await stack.server.psql("notes", "SELECT version_num FROM alembic_version"), "0003");
    const { results } = (await engine.outputs()) as { results: Record<string, { passed: boolean }> };
    assert.ok(Object.values(results).every(({ passed }) => passed));
    assert.deepEqual(await fields(), applied);
  });

  it("changes nothing the second time", async () => {
    const { exitCode, output } = await (await stack.program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(exitCode, 0, output);
    assert.match(output, /Database is up to date/);
  });
});
