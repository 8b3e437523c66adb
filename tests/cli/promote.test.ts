import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parse } from "yaml";
import { changeSettings } from "../../src/cli/promote/run.ts";
import { loadRelease } from "../../src/preflight/release.ts";
import { declareRelease, type ReleaseRecord, recordRelease } from "../../src/promotion/record.ts";
import { service } from "../adoption/objects.ts";
import { databaseAt, type FakeAnswers, fakeKubectl } from "../support/fake-kubectl.ts";
import { type CommandResult, unityIn } from "./unity.ts";

const digest = (character: string) => `sha256:${character.repeat(64)}`;
const release = loadRelease({ targetRevision: undefined, migrationImage: undefined });
const image = `registry.example/unity-backend@${digest("a")}`;
const parts = { ...release, environment: "staging", image, migrationImage: undefined };
const declared = declareRelease(parts, { jobName: "job", configMapName: "runner" });
const staged = recordRelease(declared, { pods: { passed: true } } as never);
const file = `# Ours
config:
  unity:environment: production # as it should be
  unity:context: here
  unity:database: external
  unity:initContainer: wait
  unity:replicas: 3
  unity:databaseRoles: separate
  unity:databaseTls: verify-full
  unity:databaseCaSecret: unity-database-ca
  unity:databaseUrl:
    secure: v1:AAAA:BBBB
  unity:migrationDatabaseUrl:
    secure: v1:CCCC:DDDD
`;

describe("pulumi-alembic promote", () => {
  let folder: string;
  let stack: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-promote-"));
    stack = join(folder, "stack.yaml");
    writeFileSync(stack, file);
    mkdirSync(join(folder, "states"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Gives a stack outputs, as the embedded engine keeps them. */
  function recorded(name: string, ...releases: readonly object[]): void {
    const resource = { type: "pulumi:pulumi:Stack", urn: name, inputs: {}, outputs: { releases }, dependencies: [] };
    writeFileSync(join(folder, "states", `${name}.json`), JSON.stringify({ resources: [resource], pending: [] }));
  }

  /** Runs it where no Pulumi CLI is on PATH, so that the embedded engine is asked. */
  async function run(
    answers: Partial<FakeAnswers>,
    command: string,
    ...args: readonly string[]
  ): Promise<CommandResult> {
    using fake = fakeKubectl(answers);
    const environment = {
      PATH: [fake.folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      UNITY_ENGINE_STATE: join(folder, "states", "{stack}.json"),
    };
    return await unityIn(environment, command, "--config-file", stack, ...args);
  }
  const promote = (answers: Partial<FakeAnswers>, ...args: readonly string[]) => run(answers, "promote", ...args);
  const behind = { backend: databaseAt(["a1b2c3d4e5f6"]) };
  const atHead = { backend: databaseAt(["add_plugin_execution"]) };

  it("shows the changes, and writes nothing", async () => {
    recorded("staging", staged);
    recorded("production", { ...staged, environment: "production", head: "a1b2c3d4e5f6" });
    const { code, stdout, stderr } = await promote(behind);
    assert.equal(code, 0, stdout + stderr);
    assert.match(
      stdout,
      /^Release of staging: head add_plugin_execution, image registry\.example.*@sha256:a+; \d+ checks? passed/,
    );
    assert.match(stdout, /^Release of production: head a1b2c3d4e5f6, image /m);
    assert.match(stdout, /^Pending: 1 of 8 revisions$/m);
    assert.match(stdout, /CREATE TABLE plugin_executions/);
    assert.doesNotMatch(stdout, /no changes were made/);
    assert.match(stdout, /^To write the changes, pass --yes\.$/m);
    assert.equal(readFileSync(stack, "utf8"), file);
  });

  it("writes image, plan hash and source with --yes, and keeps all other lines", async () => {
    recorded("staging", staged);
    const { code, stdout, stderr } = await promote(behind, "--yes", "--json");
    assert.equal(code, 0, stdout + stderr);
    const { plan, changes, written } = JSON.parse(stdout);
    assert.equal(written, true);
    assert.deepEqual(changes, { promotedFrom: "staging", image, planHash: plan.hash });
    const text = readFileSync(stack, "utf8");
    assert.ok(text.startsWith(file), "the old lines are as they were");
    const { config } = parse(text);
    assert.deepEqual([config["unity:image"], config["unity:planHash"]], [image, plan.hash]);
    const again = await promote(behind, "--yes");
    assert.match(again.stdout, /stack\.yaml is up to date\.\nNext, run: pulumi preview --stack production/);
  });

  it("removes the pin if nothing is pending, and keeps the stack's registry", async () => {
    recorded("staging", staged);
    const old = `  unity:image: mirror.example:5000/cache/unity-backend@${digest("0")}\n  unity:planHash: "${"0".repeat(16)}"\n`;
    writeFileSync(stack, file + old);
    const { code, stdout } = await promote(atHead, "--yes");
    assert.equal(code, 0, stdout);
    const { config } = parse(readFileSync(stack, "utf8"));
    assert.equal(config["unity:image"], `mirror.example:5000/cache/unity-backend@${digest("a")}`);
    assert.ok(!("unity:planHash" in config));
  });

  it("takes staging's repository of the image if the stack's is not a mirror of it", async () => {
    recorded("staging", staged);
    for (const other of ["registry.example/unity", "mirror.example/not-unity-backend", "unity"]) {
      writeFileSync(stack, `${file}  unity:image: ${other}:1.0\n`);
      const { code, stdout } = await promote(atHead, "--yes");
      assert.equal(code, 0, stdout);
      assert.equal(parse(readFileSync(stack, "utf8")).config["unity:image"], image);
    }
  });

  it("doesn't pin a plan when the cluster can't be reached, and plans by the records", async () => {
    recorded("staging", staged);
    recorded("production", { ...staged, environment: "production", head: "a1b2c3d4e5f6" });
    const { code, stdout } = await promote({ list: { error: "refused" } }, "--yes");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^Can't connect to the cluster \(context here\): refused/m);
    assert.match(stdout, /^Plan from the recorded release of production:\n[\s\S]*^Pending: 1 of 8 revisions$/m);
    assert.match(stdout, /^The plan is not pinned\. .*: pulumi config set planHash <hash>$/m);
    const { config } = parse(readFileSync(stack, "utf8"));
    assert.deepEqual([config["unity:image"], "unity:planHash" in config], [image, false]);
  });

  const rejected: readonly [
    what: string,
    records: readonly ReleaseRecord[],
    answers: Partial<FakeAnswers>,
    says: RegExp,
  ][] = [
    ["a release that staging has not recorded", [], behind, /stack staging has no verified release/],
    [
      "another chain than this checkout's",
      [{ ...staged, chain: "other" }],
      behind,
      /- chain: \S+ \(newest in staging: other\)/,
    ],
    ["an image that staging ran by tag", [{ ...staged, image: null }], behind, /an image of unknown digest/],
    [
      "what ran for development",
      [{ ...staged, environment: "development" }],
      behind,
      /stack staging has environment development/,
    ],
    ["a database at an unknown revision", [staged], { backend: databaseAt(["zz"]) }, /Database is at zz, which is not/],
    [
      "a Service that can't be adopted",
      [staged],
      { list: { output: JSON.stringify({ items: [service({ ports: [{ port: 8000 }] })] }) } },
      /Service unity-backend .*it has no selector/,
    ],
  ];
  for (const [what, records, answers, says] of rejected) {
    it(`rejects ${what}, exits with 1 and writes nothing`, async () => {
      recorded("staging", ...records);
      const { code, stdout, stderr } = await promote(answers, "--yes");
      assert.equal(code, 1, stdout + stderr);
      assert.match(stdout, /^can't promote this checkout from staging to production; no changes were made:$/m);
      assert.match(stdout, says);
      assert.equal(readFileSync(stack, "utf8"), file);
    });
  }

  const wrong: readonly [what: string, args: readonly string[], says: RegExp][] = [
    [
      "a stack that is not there",
      ["--from", "nowhere"],
      /can't read the outputs of stack nowhere: unknown stack "nowhere"/,
    ],
    ["the same stack twice", ["--from", "production"], /can't promote from production to itself/],
    ["a missing file", ["--config-file", "nowhere.yaml"], /nowhere\.yaml not found/],
  ];
  for (const [what, args, says] of wrong) {
    it(`names ${what}, and exits with 2`, async () => {
      recorded("staging", staged);
      const { code, stderr } = await promote(behind, ...args);
      assert.equal(code, 2);
      assert.match(stderr, says);
    });
  }

  it("is required by `pulumi-alembic apply`", async () => {
    recorded("staging", staged);
    await promote(behind, "--yes");
    recorded("staging", { ...staged, image: digest("b") });
    const { code, stdout } = await run(behind, "apply");
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^release not verified in staging; no changes were made:\n {2}- image: sha256:a+ \(newest in /,
    );
  });

  it("names errors in production's settings, and the stack that it promotes from", async () => {
    recorded("staging", staged);
    writeFileSync(stack, file.replace("replicas: 3", "replicas: 1"));
    assert.match((await promote(behind)).stderr, /invalid unity:replicas "1": must be at least 2/);
    writeFileSync(stack, `${file}  unity:promotedFrom: other\n`);
    const { code, stderr } = await promote(behind, "--from", "staging");
    assert.equal(code, 2);
    assert.match(stderr, /stack production promotes releases from other, not from staging/);
  });
});

describe("stack configuration file", () => {
  it("keeps its other lines when settings change", () => {
    const text = "# a\nconfig:\n  unity:image: x # b\n  unity:planHash: y\n";
    assert.equal(changeSettings(text, { image: "z", planHash: null }), "# a\nconfig:\n  unity:image: z # b\n");
    assert.equal(changeSettings("", { image: "z", planHash: null }), "config:\n  unity:image: z\n");
  });
  it("keeps a hash of digits as a string", () => {
    const text = changeSettings("", { planHash: "1234567890123456" });
    assert.equal(parse(text).config["unity:planHash"], "1234567890123456");
  });
});
