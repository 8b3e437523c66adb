import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject } from "../fixtures/chains/project.ts";
import { type SchemaName, schemaErrors, testPython } from "../support/json-schema.ts";
import { installPackage } from "../support/package.ts";
import { TestRepository } from "../support/repository.ts";

const examples = join(projectRoot, "examples", "ci");

/** A step of a workflow or a composite action. */
interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly "working-directory"?: string;
}

/** Replaces expressions of GitHub Actions, such as `${{ inputs.backend }}`. */
function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => values[name] ?? assert.fail(name));
}

describe("the examples for CI", () => {
  let root = "";
  let folder = "";
  let temporary = "";
  let repository: TestRepository;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "unity-ci-"));
    folder = join(root, "clone");
    temporary = join(root, "temporary");
    const project = new ChainProject([{ id: "first" }]);
    cpSync(project.folder, join(folder, "backend"), { recursive: true });
    project.delete();
    // Its environment is that of the other tests.
    copyFileSync(join(projectRoot, "backend", "requirements.txt"), join(folder, "backend", "requirements.txt"));
    mkdirSync(join(folder, "deploy"));
    mkdirSync(temporary);
    writeFileSync(join(folder, "deploy", "package.json"), '{ "name": "deploy", "private": true }\n');
    writeFileSync(join(folder, ".gitignore"), "node_modules\n__pycache__\n");
    await installPackage(join(folder, "deploy"));
    linkProgram();
    repository = new TestRepository(folder);
    assert.equal(inDeploy("npx pulumi-alembic lock --backend ../backend").status, 0);
    repository.commit("Base");
    repository.git("clone", "--quiet", "--bare", folder, join(root, "origin.git"));
    repository.git("remote", "add", "origin", join(root, "origin.git"));
    repository.git("fetch", "--quiet", "origin");
    repository.branch("feature");
    const added = new ChainProject([{ id: "second", down: "first", upgrade: ['op.drop_column("t_first", "at")'] }]);
    copyFileSync(join(added.folder, "alembic/versions/second.py"), join(folder, "backend/alembic/versions/second.py"));
    added.delete();
    assert.equal(inDeploy("npx pulumi-alembic lock --backend ../backend").status, 0);
    repository.commit("Drop a column");
  });
  after(() => rmSync(root, { recursive: true }));

  /** Links the command as npm does. */
  function linkProgram(): void {
    const modules = join(folder, "deploy", "node_modules");
    const program = join(modules, "pulumi-alembic", "dist", "src", "cli", "main.js");
    chmodSync(program, 0o755);
    mkdirSync(join(modules, ".bin"), { recursive: true });
    symlinkSync(program, join(modules, ".bin", "pulumi-alembic"));
  }

  /** Runs a script with bash, as GitHub Actions does, with no variables of a CI service but these. */
  function bash(script: string, cwd: string, variables: NodeJS.ProcessEnv = {}) {
    const outside = Object.entries(process.env).filter(([name]) => !/^(CI|GITHUB|RUNNER)(_|$)/.test(name));
    // An offline npm must find the command: nothing is downloaded.
    const env = { ...Object.fromEntries(outside), npm_config_offline: "true", ...variables };
    return spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
      cwd,
      env,
      encoding: "utf8",
    });
  }

  const inDeploy = (script: string) => bash(script, join(folder, "deploy"));
  const annotation = /^::error file=backend\/alembic\/versions\/second\.py,line=16,title=ban-drop-column::/m;

  const schemas: readonly [file: string, schema: SchemaName][] = [
    ["github-workflow.yml", "github-workflows"],
    ["review-migrations/action.yml", "github-actions"],
    ["gitlab-ci.yml", "gitlab-ci"],
  ];
  for (const [file, schema] of schemas) {
    it(`are valid by the service's schema: ${file}`, async () => {
      assert.equal(await schemaErrors(join(examples, file), schema), "");
    });
  }

  /** Runs the steps with a script, but `npm ci`, as on a pull request to main. */
  function runSteps(steps: readonly Step[], values: Readonly<Record<string, string>>) {
    const [summary, outputs] = [join(temporary, "summary.md"), join(temporary, "outputs")];
    for (const file of [summary, outputs]) writeFileSync(file, "");
    const github = { GITHUB_ACTIONS: "true", GITHUB_BASE_REF: "main", RUNNER_TEMP: temporary };
    const results = steps.flatMap(({ name, run, env = {}, ...step }) => {
      if (run === undefined || name === "Install") return [];
      const variables = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, expand(value, values)]));
      const cwd = join(folder, expand(step["working-directory"] ?? ".", values));
      return [bash(run, cwd, { ...github, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs, ...variables })];
    });
    const [result = assert.fail()] = results;
    assert.equal(results.length, 1);
    return { ...result, summary: readFileSync(summary, "utf8"), outputs: readFileSync(outputs, "utf8") };
  }

  it("annotate, summarize, and write SARIF in the workflow of GitHub Actions", async () => {
    const { jobs } = parse(readFileSync(join(examples, "github-workflow.yml"), "utf8"));
    const { status, stdout, stderr, summary } = runSteps(jobs.review.steps, {});
    assert.equal(status, 1, stderr);
    assert.match(stdout, annotation);
    assert.match(summary, /\| Result \| ❌ failed: 1 error, 0 warnings \|/);
    assert.equal(await schemaErrors(join(temporary, "migrations.sarif"), "sarif"), "");
  });

  it("pass inputs to the composite action", () => {
    const { inputs, runs } = parse(readFileSync(join(examples, "review-migrations", "action.yml"), "utf8"));
    const defaults = Object.entries(inputs as Record<string, { default: string }>).map(([name, input]) => [
      `inputs.${name}`,
      input.default,
    ]);
    const values = (given: Readonly<Record<string, string>>) => ({ ...Object.fromEntries(defaults), ...given });
    const place = { "inputs.working-directory": "deploy", "inputs.backend": "../backend" };
    const rejected = runSteps(runs.steps, values(place));
    assert.equal(rejected.status, 1, rejected.stderr);
    assert.match(rejected.stdout, annotation);
    assert.equal(rejected.outputs, `sarif=${join(temporary, "migrations.sarif")}\n`);
    assert.ok(existsSync(join(temporary, "migrations.sarif")));

    writeFileSync(
      join(folder, "deploy", "Pulumi.production.yaml"),
      stringify({ config: { "shop:approvals": [{ revision: "second", rule: "ban-drop-column" }] } }),
    );
    const more = { "inputs.approvals": "Pulumi.production.yaml", "inputs.from": "first" };
    const approved = runSteps(runs.steps, values({ ...place, ...more }));
    assert.equal(approved.status, 0, approved.stderr);
    assert.match(approved.summary, /\| Database \| `first` \|/);
    const hostile = runSteps(runs.steps, values({ ...place, "inputs.from": "$(touch injected)" }));
    assert.equal(hostile.status, 2);
    assert.ok(!existsSync(join(folder, "deploy", "injected")));
  });

  it("write code quality and a summary in GitLab CI", () => {
    const job = parse(readFileSync(join(examples, "gitlab-ci.yml"), "utf8"))["review-migrations"];
    repository.git("update-ref", "-d", "refs/remotes/origin/main");
    const script = (job.script as readonly string[]).join("\n");
    const { status, stderr } = bash(script, folder, { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main" });
    assert.equal(status, 1, stderr);
    const [issue, ...others] = JSON.parse(readFileSync(join(folder, job.artifacts.reports.codequality), "utf8"));
    assert.deepEqual(others, []);
    const { check_name, severity, location } = issue;
    const expected = { path: "backend/alembic/versions/second.py", lines: { begin: 16 } };
    assert.deepEqual(
      { check_name, severity, location },
      { check_name: "ban-drop-column", severity: "critical", location: expected },
    );
    assert.match(readFileSync(join(folder, job.artifacts.paths[0]), "utf8"), /^## Migrations\n/);
  });

  it("run before commits and pushes with pre-commit", async () => {
    // The repository of the hooks has the project's own file, where pre-commit expects it.
    const hooks = join(root, "hooks");
    mkdirSync(hooks);
    copyFileSync(join(projectRoot, ".pre-commit-hooks.yaml"), join(hooks, ".pre-commit-hooks.yaml"));
    const hookRepository = new TestRepository(hooks);
    hookRepository.commit("Hooks");
    const config = parse(readFileSync(join(examples, "pre-commit-config.yaml"), "utf8"));
    Object.assign(config.repos[0], { repo: hooks, rev: hookRepository.git("rev-parse", "HEAD").trim() });
    writeFileSync(join(folder, ".pre-commit-config.yaml"), stringify(config));
    repository.git("add", ".pre-commit-config.yaml");
    repository.git("fetch", "--quiet", "origin");
    repository.git("remote", "set-head", "origin", "main");
    const python = await testPython();
    const preCommit = (...args: readonly string[]) =>
      bash(`"${python}" -m pre_commit ${args.join(" ")}`, folder, {
        PRE_COMMIT_HOME: join(root, "pre-commit"),
        PATH: `${dirname(python)}:${process.env.PATH}`,
      });
    assert.equal(preCommit("validate-manifest", join(projectRoot, ".pre-commit-hooks.yaml")).status, 0);
    assert.equal(preCommit("validate-config", join(examples, "pre-commit-config.yaml")).status, 0);

    const passed = preCommit("run", "--all-files");
    assert.equal(passed.status, 0, passed.stdout + passed.stderr);
    assert.match(passed.stdout, /^lockfile of the Alembic chain\.+Passed$/m);
    const pushed = preCommit("run", "--all-files", "--hook-stage", "pre-push");
    assert.equal(pushed.status, 1, pushed.stdout + pushed.stderr);
    assert.match(pushed.stdout, /^review of the Alembic chain\.+Failed$[\s\S]*`ban-drop-column`/m);

    const revision = join(folder, "backend/alembic/versions/second.py");
    writeFileSync(revision, readFileSync(revision, "utf8").replace('"at"', '"id"'));
    const stale = preCommit("run", "--all-files");
    assert.equal(stale.status, 1);
    assert.match(stale.stdout, /migrations\.lock\.json differs from the chain:/);
  });
});
