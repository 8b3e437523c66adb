import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alembicPython, unity } from "../cli/unity.ts";
import { exampleStack } from "../support/example-stack.ts";

/** Changes a file of the example. */
function change(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from), `${file} contains ${from}`);
  writeFileSync(file, text.replaceAll(from, to));
}

describe("an app with a version table of another name in another schema", () => {
  const stack = exampleStack("notes", "version-table", async (app, server) => {
    const options = 'version_table="Versions", version_table_schema="billing", target_metadata=';
    change(join(app, "alembic", "env.py"), "target_metadata=", options);
    change(join(app, "notes", "main.py"), "FROM alembic_version", 'FROM billing.\\"Versions\\"');
    const locked = await unity("lock", "--backend", app, "--python", await alembicPython());
    assert.equal(locked.code, 0, locked.stderr);
    await server.psql("notes", "CREATE SCHEMA billing");
  });

  it("migrates, starts behind its gate, and passes every check", async () => {
    const engine = await stack.program.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    assert.equal(await stack.server.psql("notes", 'SELECT version_num FROM billing."Versions"'), "0003");
    assert.equal(await stack.server.psql("notes", "SELECT to_regclass('alembic_version') IS NULL"), "t");
    const { checks } = (await engine.outputs()) as { checks: Record<string, { passed: boolean; found: string }> };
    assert.equal(checks.revision?.found, "0003");
    assert.ok(
      Object.values(checks).every(({ passed }) => passed),
      JSON.stringify(checks),
    );
    const answer = await stack.kubectl.exec("deployment/notes", "notes", [
      "curl",
      "-s",
      "http://localhost:9000/readyz",
    ]);
    assert.deepEqual(JSON.parse(answer), { ready: true, revision: "0003" });
  });
});
