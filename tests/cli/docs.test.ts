import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { documentInputs } from "../../src/cli/docs/inputs.ts";
import { renderScript } from "../../src/cli/docs/script.ts";
import { describeStates } from "../../src/cli/docs/states.ts";
import { withRelease } from "../../src/cli/render/run.ts";
import { projectRoot } from "../../src/paths.ts";
import { unity } from "./unity.ts";

const folder = "docs/operations";
const documents = ["MIGRATION_STATUS.md", "DATABASE_MIGRATION_GUIDE.md", "MIGRATION_QUICKSTART.md"] as const;
const read = (name: string) => readFileSync(join(projectRoot, folder, name), "utf8");
const lock = JSON.parse(readFileSync(join(projectRoot, "backend/migrations.lock.json"), "utf8"));
const inputs = (configFile = join(projectRoot, "Pulumi.dev.yaml")) =>
  withRelease({ configFile }, (settings, release) => documentInputs(settings, release, []));

describe("pulumi-alembic docs", () => {
  it("generates the committed files", async () => {
    const { code, stdout } = await unity("docs", "--check", "--stack", "dev");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^10 files are up to date/);
  });

  it("lists every command of unity", async () => {
    const { stdout } = await unity("--help");
    const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name).filter((name) => name !== "help");
    assert.ok(names.length > 7);
    for (const name of names)
      assert.ok(read("DATABASE_MIGRATION_GUIDE.md").includes(`\`npm run unity -- ${name}\``), name);
  });
});

describe("the operators' documents", () => {
  it("describe every revision: ID, title, date, tables", () => {
    const status = read("MIGRATION_STATUS.md");
    for (const { id, title, date, tables } of lock.revisions) {
      assert.match(
        status,
        new RegExp(`^\\| \\d \\| \\*{0,2}\`${id}\`.* \\| ${title} \\| ${date.slice(0, 10)} \\| `, "m"),
      );
      for (const table of tables.created) assert.match(status, new RegExp(`^\\| \`${table}\` \\| id, `, "m"));
    }
  });

  it("have a heading for every state, with the program's message", async () => {
    const guide = read("DATABASE_MIGRATION_GUIDE.md");
    const states = describeStates(await inputs());
    assert.equal(states.length, 9);
    for (const { heading, symptom, message, remediation } of states) {
      assert.ok(guide.includes(`### ${heading}\n\n${symptom}\n\n> ${message}\n\n${remediation}`), heading);
    }
  });

  for (const name of documents) {
    it(`have valid links in ${name}`, () => {
      const links = [...read(name).matchAll(/\]\(([^)#]+)(?:#([^)]+))?\)/g)].filter(
        ([, path]) => !path?.includes("://"),
      );
      assert.ok(links.length > 0);
      for (const [, path = "", heading] of links) {
        const target = join(projectRoot, folder, path);
        assert.ok(existsSync(target), path);
        if (heading !== undefined) assert.match(readFileSync(target, "utf8"), new RegExp(`^#+ ${heading}$`, "im"));
      }
    });

    it(`have no HTML tags in ${name}`, () => {
      const prose = read(name).replaceAll(/```[\s\S]*?```|`[^`\n]*`|<!--.*?-->|<https?:[^>]+>/g, "");
      assert.doesNotMatch(prose, /<[a-z]/i);
    });
  }

  it("have a quick start of one page", () => {
    assert.ok(read("MIGRATION_QUICKSTART.md").split("\n").length <= 75);
  });

  it("mark the latest revision of the chain", () => {
    assert.match(read("migration-chain.txt"), /^\* {2}8 {2}add_plugin_execution .* <== latest$/m);
  });
});

describe("check_migrations.sh", () => {
  let scratch: string;
  before(() => {
    scratch = mkdtempSync(join(tmpdir(), "unity-docs-"));
  });
  after(() => rmSync(scratch, { recursive: true }));

  /** Renders the script of a stack. */
  async function scriptOf(lines: readonly string[]): Promise<string> {
    const file = join(scratch, "stack.yaml");
    writeFileSync(file, `config:\n${lines.map((line) => `  unity:${line}\n`).join("")}`);
    return renderScript(await inputs(file));
  }

  it("is executable, and finds the Job's file", () => {
    const path = join(projectRoot, folder, "check_migrations.sh");
    assert.ok((statSync(path).mode & 0o111) === 0o111);
    const [, job = ""] = /^job_path='(.*)'$/m.exec(read("check_migrations.sh")) ?? [];
    assert.ok(existsSync(join(dirname(path), job)), job);
  });

  it("prints its usage in bash", async () => {
    const script = await scriptOf(["context: it's here", 'namespace: "apart"']);
    const file = join(scratch, "check_migrations.sh");
    writeFileSync(file, script);
    const { status, stdout, stderr } = spawnSync("bash", [file, "--help"], { encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /database of namespace apart[\s\S]*\(default: it's here\)/);
  });

  it("queries no PostgreSQL of the stack for an external database", async () => {
    const script = await scriptOf(["context: here", "database: external"]);
    assert.match(script, /^owns_database='false'$/m);
    assert.match(script, /^workloads='unity-backend'$/m);
  });

  it("keeps a separate image of the Job", async () => {
    const script = await scriptOf(["context: here", "image: example/app:1", "migrationImage: example/app:2"]);
    assert.match(script, /^job_image=''$/m);
  });
});
