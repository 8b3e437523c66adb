import assert from "node:assert/strict";
import { exampleStack } from "../support/example-stack.ts";

describe("an app with Flask-Migrate", () => {
  const settings = ["create", "secret", "generic", "library-settings", "--from-literal=SECRET_KEY=secret"];
  const stack = exampleStack("flask", "flask", () => stack.kubectl.run(settings));

  it("migrates with its application context, and passes every check", async () => {
    const engine = await stack.program.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    assert.equal(await stack.server.psql("flask", "SELECT version_num FROM alembic_version"), "b83e4d2f6a90");
    const { results } = (await engine.outputs()) as { results: Record<string, { passed: boolean }> };
    assert.equal(results.books?.passed, true);
    assert.ok(
      Object.values(results).every(({ passed }) => passed),
      JSON.stringify(results),
    );
  });

  it("changes nothing the second time", async () => {
    const { exitCode, output } = await (await stack.program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(exitCode, 0, output);
  });
});
