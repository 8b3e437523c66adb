import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { alembicPython, unity } from "../cli/unity.ts";
import { type Example, example } from "../support/example.ts";
import { fixtureImage } from "../support/images.ts";
import { testNamespace } from "../support/leftovers.ts";
import { type Server, startServer } from "../support/server.ts";

const { UNITY_CONTEXT: context = "", UNITY_POSTGRES_IMAGE } = process.env;
const namespace = testNamespace("version-table");
const kubectl = new Kubectl({ context, namespace });

/** Changes a file of the example. */
function change(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from), `${file} contains ${from}`);
  writeFileSync(file, text.replaceAll(from, to));
}

describe("an app with a version table of another name in another schema", () => {
  let program: Example;
  let server: Server;

  before(async () => {
    await kubectl.run(["create", "namespace", namespace]);
    [program, server] = await Promise.all([
      example("notes"),
      startServer(kubectl, UNITY_POSTGRES_IMAGE || "postgres:17"),
    ]);
    const app = join(program.folder, "app");
    const options = 'version_table="Versions", version_table_schema="billing", target_metadata=';
    change(join(app, "alembic", "env.py"), "target_metadata=", options);
    change(join(app, "notes", "main.py"), "FROM alembic_version", 'FROM billing.\\"Versions\\"');
    const locked = await unity("lock", "--backend", app, "--python", await alembicPython());
    assert.equal(locked.code, 0, locked.stderr);
    const image = await fixtureImage(app, "notes-fixture");
    await server.psql("postgres", "CREATE DATABASE notes");
    await server.psql("notes", "CREATE SCHEMA billing");
    await program.engine({ context, namespace, image }, { databaseUrl: `${server.url}/notes` });
  });
  after(async () => {
    await (await program?.engine())?.run("destroy");
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
    program?.remove();
  });

  it("migrates, starts behind its gate, and passes every check", async () => {
    const engine = await program.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    assert.equal(await server.psql("notes", 'SELECT version_num FROM billing."Versions"'), "0003");
    assert.equal(await server.psql("notes", "SELECT to_regclass('alembic_version') IS NULL"), "t");
    const { checks } = (await engine.outputs()) as { checks: Record<string, { passed: boolean; found: string }> };
    assert.equal(checks.revision?.found, "0003");
    assert.ok(
      Object.values(checks).every(({ passed }) => passed),
      JSON.stringify(checks),
    );
    const answer = await kubectl.exec("deployment/notes", "notes", ["curl", "-s", "http://localhost:9000/readyz"]);
    assert.deepEqual(JSON.parse(answer), { ready: true, revision: "0003" });
  });
});
