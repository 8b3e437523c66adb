import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { exitCodesHelp, visibleCommands } from "../../src/cli/command.ts";
import { commandDefinitions, generalExitCodes, unityProgram } from "../../src/cli/program.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { rehearsedSchema } from "../../src/lockfile/rehearsal.ts";
import { lockFile, projectRoot } from "../../src/paths.ts";
import { ChainProject, linearChain } from "../fixtures/chains/project.ts";
import { answer, databaseAt, databaseWith, type FakeAnswers, fakeKubectl } from "../support/fake-kubectl.ts";
import { alembicPython, onTerminal, unity, unityIn, unityWith } from "./unity.ts";

const stack = `config:
  unity:context: here
  unity:image: registry.example/unity-backend:1.0
  unity:databasePassword:
    secure: v1:AAAA:BBBB
`;
const stale = "  unity:planHash: '0000000000000000'\n";
const atHead: Partial<FakeAnswers> = { postgres: databaseAt(["add_plugin_execution"]) };
const behind: Partial<FakeAnswers> = { postgres: databaseAt(["a1b2c3d4e5f6"]) };
const rehearsed = rehearsedSchema(readLock(lockFile), () => true) ?? assert.fail();
const down: Partial<FakeAnswers> = { list: { error: "refused" }, postgres: { error: "refused" } };
const run = { id: 1, startedAt: "2026-01-03T10:00:00+00:00", finishedAt: null, from: [], to: null, target: ["b"] };
const runs = answer([{ ...run, image: "i", planHash: "h", outcome: "running", error: null, runner: "p" }]);
const log = { output: "[pod/p/c] INFO: started\n[pod/p/c] ERROR database error in GET /\n" };

/** A call of a command: arguments, answers of the cluster, and settings besides those of `stack`. */
interface Given {
  readonly args: readonly string[];
  readonly answers?: Partial<FakeAnswers>;
  readonly settings?: string;
}

const wrong: Given = { args: ["--wrong"] };
/** A call for each exit code of each command that needs no cluster. */
const cases: Readonly<Record<string, Readonly<Partial<Record<string, Given>>>>> = {
  apply: {
    0: { args: [], answers: atHead },
    1: { args: [], answers: behind, settings: stale },
    2: { args: [], answers: down },
  },
  chain: { 0: { args: [], answers: behind }, 2: { args: [], answers: down } },
  ci: {
    0: { args: ["--backend", "{growing}", "--python", "{python}", "--no-base"] },
    1: { args: ["--backend", "{changed}", "--python", "{python}", "--no-base"] },
    2: { args: ["--backend", "{folder}", "--python", "{python}", "--no-base"] },
  },
  migrate: { 1: { args: [], answers: behind, settings: stale }, 2: { args: [] } },
  docs: { 0: { args: ["--output", "{folder}"] }, 1: { args: ["--output", "{folder}/none", "--check"] }, 2: wrong },
  drift: {
    0: { args: [], answers: { postgres: databaseWith("add_plugin_execution", rehearsed) } },
    1: { args: [], answers: { postgres: databaseWith("add_plugin_execution", { ...rehearsed, tables: {} }) } },
    2: { args: [], answers: down },
  },
  history: { 0: { args: [], answers: { postgres: runs } }, 2: { args: [], answers: down } },
  lock: {
    0: { args: ["--backend", "{chain}", "--python", "{python}"] },
    1: { args: ["--backend", "{changed}", "--python", "{python}", "--check"] },
    2: { args: ["--backend", "{folder}", "--python", "{python}"] },
  },
  logs: { 0: { args: [], answers: { postgres: log } }, 2: { args: [], answers: down } },
  plan: { 0: { args: [], answers: atHead }, 1: { args: [], answers: behind }, 2: { args: [], answers: down } },
  promote: { 2: { args: ["--to", "staging", "--from", "staging"] } },
  rehearse: { 2: { args: ["--backend", "{folder}"] } },
  render: { 0: { args: ["--output", "{folder}"] }, 1: { args: ["--output", "{folder}/none", "--check"] }, 2: wrong },
  report: { 0: { args: ["--offline"] }, 1: { args: [] }, 2: { args: [], answers: down } },
  restore: { 2: { args: ["--list"] } },
  revision: {
    0: { args: ["--backend", "{growing}", "--python", "{python}", "--message", "Next"] },
    2: { args: ["--backend", "{folder}", "--python", "{python}", "--message", "Next"] },
  },
  status: { 0: { args: [], answers: atHead }, 1: { args: [], answers: behind }, 2: { args: [], answers: down } },
  verify: { 0: { args: ["reversible"] }, 1: { args: ["tables"], answers: down }, 2: { args: ["tabels"] } },
};
/**
 * Exit codes that need a cluster, recorded releases, or a database: tests/live/migrate.test.ts,
 * tests/live/going-back.test.ts, tests/cli/promote.test.ts, and tests/cli/rehearse.test.ts.
 */
const elsewhere = ["rehearse 0", "rehearse 1", "migrate 0", "restore 0", "promote 0", "promote 1"];

describe("output and exit codes of commands", () => {
  let folder: string;
  let chains: Readonly<Record<string, string>>;
  let projects: readonly ChainProject[] = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "unity-results-"));
    projects = [1, 2].map((revisions) => new ChainProject(linearChain(revisions)));
    const [chain = "", changed = ""] = projects.map((project) => project.folder);
    const growing = join(folder, "growing");
    cpSync(join(projectRoot, "backend"), growing, { recursive: true });
    chains = { folder, chain, changed, growing, python: await alembicPython() };
  });
  after(() => {
    rmSync(folder, { recursive: true });
    for (const project of projects) project.delete();
  });

  function wordsOf(name: string, { args, settings = "" }: Given): readonly string[] {
    const file = join(folder, "stack.yaml");
    writeFileSync(file, stack + settings);
    const filled = args.map((word) => word.replaceAll(/\{(\w+)\}/g, (_, key: string) => chains[key] ?? ""));
    return [name, ...filled, ...(["ci", "lock", "rehearse", "revision"].includes(name) ? [] : ["--config-file", file])];
  }

  it("are tested for every exit code of every command", () => {
    const names = visibleCommands(unityProgram()).map((each) => each.name());
    const defined = commandDefinitions.map(({ name }) => name);
    assert.deepEqual(defined.sort(), names.filter((name) => name !== "completion").sort());
    const documented = commandDefinitions.flatMap(({ name, exitCodes }) =>
      Object.keys(exitCodes).map((code) => `${name} ${code}`),
    );
    const tested = Object.entries(cases).flatMap(([name, codes]) =>
      Object.keys(codes).map((code) => `${name} ${code}`),
    );
    assert.deepEqual([...tested, ...elsewhere].sort(), documented.sort());
  });

  for (const [name, codes] of Object.entries(cases)) {
    for (const [code, given = wrong] of Object.entries(codes)) {
      it(`are ${code} and one JSON document for unity ${name}`, async () => {
        const args = wordsOf(name, given);
        const result = await unityWith(given.answers ?? {}, ...args, "--json");
        assert.equal(String(result.code), code, result.stdout + result.stderr);
        const document: unknown = JSON.parse(result.stdout);
        const error = document !== null && typeof document === "object" && Reflect.get(document, "error");
        if (error && typeof error === "object" && "exitCode" in error) {
          assert.equal(error.exitCode, 2);
          assert.ok("message" in error && String(error.message).length > 10);
        }
      });
    }
  }

  it("are one JSON object per line for a followed log, otherwise an array", async () => {
    const given = { args: [], answers: { postgres: log } };
    const parsed = [
      { pod: "p", line: "INFO: started", databaseError: false },
      { pod: "p", line: "ERROR database error in GET /", databaseError: true },
    ];
    const followed = await unityWith(given.answers, ...wordsOf("logs", given), "--follow", "--json");
    assert.deepEqual(
      followed.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
      parsed,
    );
    const whole = await unityWith(given.answers, ...wordsOf("logs", given), "--json");
    assert.deepEqual(JSON.parse(whole.stdout), parsed);
  });

  it("are only a JSON error for invalid usage of every command", async () => {
    const names = commandDefinitions.map(({ name }) => name);
    const needed = (name: string) => (name === "revision" ? ["--message", "Next"] : []);
    const results = await Promise.all(names.map((name) => unity(name, ...needed(name), "--wrong", "--json")));
    for (const { code, stdout, stderr } of results) {
      assert.deepEqual([code, stderr], [2, ""]);
      assert.deepEqual(JSON.parse(stdout), { error: { message: "unknown option '--wrong'", exitCode: 2 } });
    }
  });

  it("match the exit codes in each command's --help", async () => {
    const helps = await Promise.all(
      commandDefinitions.map(async ({ name, exitCodes }) => [await unity(name, "--help"), exitCodes] as const),
    );
    for (const [{ code, stdout }, meanings] of [...helps, [await unity("--help"), generalExitCodes] as const]) {
      assert.equal(code, 0);
      assert.ok(stdout.includes(exitCodesHelp(meanings)), stdout);
    }
  });

  const colored: readonly [string, Given, RegExp][] = [
    ["status", { args: [], answers: behind }, /\[33mDatabase is at a1b2c3d4e5f6/],
    ["plan", { args: [], answers: behind, settings: stale }, /\[1mplan is stale: /],
    ["verify", { args: ["tables", "reversible"], answers: down }, /\[1mFAIL/],
    ["chain", { args: [], answers: behind }, /\[1m<== latest/],
    ["migrate", { args: [], answers: behind, settings: stale }, /\[1mCurrent:/],
    ["logs", { args: [], answers: { postgres: log } }, /\[1m! \[pod\/p\/c\] ERROR/],
  ];
  for (const [name, given, part] of colored) {
    it(`unity ${name} has color if requested, and the same words without`, async () => {
      const args = wordsOf(name, given);
      using fake = fakeKubectl(given.answers);
      const plain = await unityIn(fake.environment, ...args);
      const forced = await unityIn({ ...fake.environment, FORCE_COLOR: "1" }, ...args);
      const without = (text: string) => text.replaceAll(/\d+\.\d ?s/g, "");
      assert.ok(!plain.stdout.includes("\u001b"));
      assert.match(forced.stdout, part);
      assert.equal(without(stripVTControlCharacters(forced.stdout)), without(plain.stdout));
    });
  }

  it("have color and a line of progress on a terminal, and no color with NO_COLOR", async () => {
    using fake = fakeKubectl({ list: "silence", postgres: "silence" });
    const impatient = { args: [], settings: "  unity:clusterTimeoutSeconds: 10\n" };
    const command = [process.execPath, join(projectRoot, "src", "cli", "main.ts"), ...wordsOf("status", impatient)];
    const usual = await onTerminal(command, [], fake.environment);
    assert.equal(usual.code, 2, usual.stdout + usual.stderr);
    assert.match(usual.stdout, /\[KQuerying the database: \d+s/);
    assert.match(usual.stdout, /\[31m.*Can't connect to the cluster \(context here\)/);
    const bare = await onTerminal(command, [], { ...fake.environment, NO_COLOR: "1" });
    assert.ok(!bare.stdout.includes("\u001b[3"));
  });
});
