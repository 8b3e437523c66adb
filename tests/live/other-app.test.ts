import assert from "node:assert/strict";
import { join } from "node:path";
import { generalChecks } from "../../src/checks/names.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { projectRoot } from "../../src/paths.ts";
import { type Example, example } from "../support/example.ts";
import { fixtureImage } from "../support/images.ts";
import { testNamespace } from "../support/leftovers.ts";
import { type Server, startServer } from "../support/server.ts";

const { UNITY_CONTEXT: context = "", UNITY_POSTGRES_IMAGE } = process.env;
const namespace = testNamespace("other-app");
const kubectl = new Kubectl({ context, namespace });

/** The stack's outputs. */
interface Outputs {
  readonly jobName: string;
  readonly checks: Readonly<Record<string, { readonly passed: boolean }>>;
}

describe("another app's program with the package", () => {
  let program: Example;
  let server: Server;

  before(async () => {
    await kubectl.run(["create", "namespace", namespace]);
    [program, server] = await Promise.all([
      example("notes"),
      startServer(kubectl, UNITY_POSTGRES_IMAGE || "postgres:17"),
    ]);
    const image = await fixtureImage(join(projectRoot, "examples", "notes", "app"), "notes-fixture");
    await server.psql("postgres", "CREATE DATABASE notes");
    await program.engine({ context, namespace, image }, { databaseUrl: `${server.url}/notes` });
  });
  after(async () => {
    await (await program?.engine())?.run("destroy");
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
    program?.remove();
  });

  it("migrates, rolls out and passes every general check", async () => {
    const engine = await program.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    assert.equal(await server.psql("notes", "SELECT version_num FROM alembic_version"), "0003");
    const { jobName, checks } = (await engine.outputs()) as unknown as Outputs;
    assert.match(jobName, /^notes-db-migrate-[0-9a-f]{10}$/);
    assert.deepEqual(Object.keys(checks).sort(), [...generalChecks].sort());
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
    const { exitCode, output } = await (await program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(exitCode, 0, output);
  });

  it("is rolled out when only the URL of its database changes", async () => {
    const databaseUrl = `${server.url}/notes?application_name=moved`;
    const { exitCode, output } = await (await program.engine({}, { databaseUrl })).run("up");
    assert.equal(exitCode, 0, output);
    const used = await kubectl.exec("deployment/notes", "notes", ["printenv", "DATABASE_URL"]);
    assert.equal(used.trim(), databaseUrl);
    assert.doesNotMatch(output, /application_name=moved/);
  });
});
