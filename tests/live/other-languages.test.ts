import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../../local/cluster/prerequisites.ts";
import { projectRoot } from "../../src/paths.ts";
import { exampleStack } from "../support/example-stack.ts";
import { blocksOf } from "../support/pages.ts";

const run = promisify(execFile);
const page = readFileSync(join(projectRoot, "docs/how-to/other-languages.md"), "utf8");
const { UNITY_CONTEXT: context = "" } = process.env;

// Only the Pulumi CLI runs component packages, and programs in YAML by its language host.
const canRun = ["pulumi", "pulumi-language-yaml"].every((program) => findProgram(program) !== undefined);

(canRun ? describe : describe.skip)("the program in YAML of docs/how-to/other-languages.md", () => {
  const stack = exampleStack("notes", "yaml");
  let root: string;
  /** Runs the Pulumi CLI in the program's folder, without prompts. */
  let pulumi: (...args: readonly string[]) => Promise<string>;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "unity-yaml-"));
    const cwd = join(root, "program");
    mkdirSync(join(root, "states"));
    cpSync(join(projectRoot, "examples", "notes", "app"), join(cwd, "app"), { recursive: true });
    const program = blocksOf(page).find(({ marks }) => marks.file === "Pulumi.yaml")?.text ?? "";
    writeFileSync(join(cwd, "Pulumi.yaml"), program.replace("../pulumi-alembic", projectRoot));
    const backend = { PULUMI_BACKEND_URL: `file://${join(root, "states")}`, PULUMI_CONFIG_PASSPHRASE: "test" };
    const env = { ...process.env, ...backend, PULUMI_SKIP_UPDATE_CHECK: "true" };
    pulumi = async (...args) => {
      const options = { cwd, env, maxBuffer: 1 << 24 };
      const ran = run("pulumi", [...args, "--non-interactive"], options);
      const { stdout } = await ran.catch((error: { stdout: string; stderr: string }) => {
        throw new Error(`${args[0]}: ${error.stdout}${error.stderr}`);
      });
      return stdout;
    };
    await pulumi("stack", "init", "test");
    await pulumi("config", "set", "--secret", "databaseUrl", stack.databaseUrl);
    const values = Object.entries({ context, namespace: stack.kubectl.namespace, image: stack.image });
    await pulumi("config", "set-all", ...values.flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]));
  });
  after(async () => {
    await pulumi?.("destroy", "--yes", "--skip-preview");
    rmSync(root, { recursive: true });
  });

  it("shows the pending SQL in its first preview", async () => {
    const output = await pulumi("preview");
    assert.match(output, /Pending: at most 3 of 3 revisions/);
    assert.match(output, /CREATE TABLE notebooks/);
  });

  it("migrates, deploys behind the gate, and verifies in one update", async () => {
    await pulumi("up", "--yes", "--skip-preview");
    assert.equal(await stack.server.psql("notes", "SELECT version_num FROM alembic_version"), "0003");
    const results = JSON.parse(await pulumi("stack", "output", "results", "--json"));
    assert.equal(Object.keys(results).length, 5);
    for (const [name, { passed }] of Object.entries<{ passed: boolean }>(results)) assert.ok(passed, name);
  });

  it("changes nothing the second time", () => pulumi("up", "--yes", "--skip-preview", "--expect-no-changes"));
});
