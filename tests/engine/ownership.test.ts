import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { stringify } from "yaml";
import { projectRoot } from "../../src/paths.ts";
import { endWithTests } from "../support/children.ts";
import { deployedPostgres, fakeKubectl } from "../support/fake-kubectl.ts";

describe("a second stack in the namespace of another", () => {
  const folder = mkdtempSync(join(tmpdir(), "engine-ownership-"));
  const configFile = join(folder, "Pulumi.yaml");
  const config = { context: "here", image: "unity:1", database: "external", databaseSecret: "mine" };
  writeFileSync(
    configFile,
    stringify({ config: Object.fromEntries(Object.entries(config).map(([key, value]) => [`unity:${key}`, value])) }),
  );
  after(() => rmSync(folder, { recursive: true }));

  /** Runs the project's program on a cluster with a backend of stack `first`. */
  async function run(verb: "preview" | "up", stack: string) {
    const annotations = { ...deployedPostgres.metadata.annotations, "pulumi-alembic/owner": "unity/first" };
    const backend = {
      kind: "Deployment",
      metadata: { name: "unity-backend", annotations },
      spec: { selector: {}, template: { spec: { containers: [] } } },
    };
    const list = { output: JSON.stringify({ items: [backend] }) };
    using fake = fakeKubectl({ list, secret: { output: "7\nDATABASE_URL" } });
    const state = join(folder, `${stack}.json`);
    const main = join(projectRoot, "local", "engine", "main.ts");
    const args = [main, verb, "--stack", stack, "--config-file", configFile, "--state", state, "--cwd", projectRoot];
    const env = { ...process.env, ...fake.environment };
    const child = endWithTests(spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] }));
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    return { code, output, stored: existsSync(state) ? readFileSync(state, "utf8") : "" };
  }

  for (const verb of ["preview", "up"] as const) {
    it(`is rejected by ${verb} with the owner's name, without a step`, async () => {
      const { code, output, stored } = await run(verb, "second");
      assert.equal(code, 1, output);
      assert.match(
        output,
        /Stack unity\/first owns resources of namespace unity that stack unity\/second would overwrite/,
      );
      assert.doesNotMatch(output + stored, /kubernetes:/);
    });
  }

  it("doesn't affect the owner's own stack", async () => {
    const { output } = await run("preview", "first");
    assert.doesNotMatch(output, /would overwrite/);
    assert.match(output, /kubernetes:core\/v1:Namespace/);
  });
});
