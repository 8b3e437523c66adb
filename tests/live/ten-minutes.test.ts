import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { contextHash } from "../../local/images/context.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { projectRoot } from "../../src/paths.ts";
import { type Program, programIn } from "../support/example.ts";
import { fixtureImage } from "../support/images.ts";
import { testNamespace } from "../support/leftovers.ts";
import { pack } from "../support/package.ts";
import { type Block, blocksOf, missingLine } from "../support/pages.ts";
import { type Server, startServer } from "../support/server.ts";

const run = promisify(execFile);
const example = join(projectRoot, "examples", "fastapi");
const page = readFileSync(join(projectRoot, "docs/how-to/adopt-in-ten-minutes.md"), "utf8");
const { UNITY_CONTEXT: context = "", UNITY_POSTGRES_IMAGE } = process.env;
const namespace = testNamespace("ten-minutes");
const kubectl = new Kubectl({ context, namespace });

/** Follows the page for the example's app, which is given with its image and its database. */
class Walk {
  readonly folder: string;
  readonly program: Program;
  readonly #values: Readonly<Record<string, string>>;
  /** Output of the last command. */
  seen = "";

  /** @param values - Values of the settings and of `.env` in place of the page's. */
  constructor(root: string, values: Readonly<Record<string, string>>) {
    this.folder = join(root, "deploy");
    mkdirSync(this.folder);
    this.program = programIn(this.folder, root);
    this.#values = values;
  }

  async step({ language, marks, text }: Block): Promise<void> {
    if (marks.file !== undefined) writeFileSync(join(this.folder, marks.file), text);
    if (language === "sh") for (const line of text.trim().split("\n")) await this.#command(line);
    if ("sees" in marks) {
      const missing = missingLine(text.replaceAll("namespace shop", `namespace ${namespace}`), this.seen);
      assert.equal(missing, undefined, `the page shows "${missing}", which is not in:\n${this.seen}`);
    }
  }

  async #command(line: string): Promise<void> {
    const [, flag, name = ""] = /^pulumi config set( --secret)? (\w+) \S+$/.exec(line) ?? [];
    const value = { [name]: this.#values[name] as string };
    if (name !== "") await (flag === undefined ? this.program.engine(value) : this.program.engine({}, value));
    else if (line === "pulumi stack init dev") await this.program.engine();
    else if (line === "pulumi stack output results") this.seen = JSON.stringify((await this.outputs()).results);
    else if (line === "pulumi preview" || line === "pulumi up") {
      const { exitCode, output } = await (await this.program.engine()).run(line === "pulumi up" ? "up" : "preview");
      assert.equal(exitCode, 0, output);
      this.seen = output;
    } else await this.#shell(line);
  }

  /** Runs a command of the shell: `kubectl` beside the app, others in the program's folder. */
  async #shell(line: string): Promise<void> {
    const own = line
      .replace(/^kubectl( -n shop)?/, `kubectl --context ${context}$1`)
      .replace("-n shop", `-n ${namespace}`);
    const cwd = line.startsWith("kubectl") ? join(this.folder, "..") : this.folder;
    const { stdout, stderr } = await run("bash", ["-ec", own.replace("namespace shop", `namespace ${namespace}`)], {
      cwd,
    });
    this.seen = `${stdout}\n${stderr}`;
  }

  async outputs(): Promise<Record<string, unknown>> {
    return (await this.program.engine()).outputs();
  }
}

describe("docs/how-to/adopt-in-ten-minutes.md", () => {
  let root: string;
  let app: string;
  let server: Server;
  let walk: Walk;
  /** Hash of the app as it was given. */
  let given: string;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "unity-newcomer-"));
    app = join(root, "backend");
    const others = new Kubectl({ context, namespace: `${namespace}-db` });
    await others.run(["create", "namespace", others.namespace]);
    server = await startServer(others, UNITY_POSTGRES_IMAGE || "postgres:17");
    await server.psql("postgres", "CREATE DATABASE shop");
    const databaseUrl = `${server.url.replace("@server:", `@server.${others.namespace}:`)}/shop`;
    const { username, password, hostname } = new URL(databaseUrl);

    cpSync(join(example, "backend"), app, { recursive: true });
    rmSync(join(app, "migrations.lock.json"));
    given = contextHash(app);
    const settings = readFileSync(join(example, ".env.example"), "utf8")
      .replace(/^POSTGRES_SERVER=.*/m, `POSTGRES_SERVER=${hostname}`)
      .replace(/^POSTGRES_USER=.*/m, `POSTGRES_USER=${username}`)
      .replace(/^POSTGRES_PASSWORD=.*/m, `POSTGRES_PASSWORD=${password}`);
    writeFileSync(join(root, ".env"), settings);
    const image = await fixtureImage(app, "fastapi-fixture");
    walk = new Walk(root, { context, namespace, image, databaseUrl });
    await pack(walk.folder);
  });
  after(async () => {
    await (await walk?.program.engine())?.run("destroy");
    await kubectl.run(["delete", "namespace", namespace, `${namespace}-db`, "--ignore-not-found", "--wait=false"]);
    rmSync(root, { recursive: true, force: true });
  });

  it("leads from an empty folder to a verified release of the example's app", async () => {
    const started = performance.now();
    const program = blocksOf(page).find(({ marks }) => marks.file === "index.ts")?.text ?? "";
    assert.equal(program, readFileSync(join(example, "deploy", "index.ts"), "utf8"));
    const lines = program.trimEnd().split("\n").length;
    assert.ok(lines <= 40, `${lines} lines`);

    for (const block of blocksOf(page)) await walk.step(block);

    console.log(`      ${lines} lines, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    const results = Object.values(JSON.parse(walk.seen) as Record<string, { passed: boolean }>);
    assert.ok(results.length > 10 && results.every(({ passed }) => passed), walk.seen);
    assert.equal(await server.psql("shop", "SELECT version_num FROM alembic_version"), "9c0a54914c78");
    assert.equal(await server.psql("shop", 'SELECT email FROM "user"'), "admin@example.com");
  });

  it("changes no file of the app, whose image excludes the lockfile", () => {
    assert.equal(contextHash(app), given);
  });

  it("changes nothing the second time", async () => {
    const { exitCode, output } = await (await walk.program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(exitCode, 0, output);
  });
});
