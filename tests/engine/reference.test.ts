import assert from "node:assert/strict";
import { join } from "node:path";
import { changeEnvironment } from "../support/environment.ts";
import { Scratch, stepsOf } from "./support.ts";

describe("engine stack reference", () => {
  let environment: Disposable;
  let [source, reader]: Scratch[] = [];
  before(async () => {
    environment = changeEnvironment({ PULUMI_CONFIG_PASSPHRASE: "of staging" });
    source = new Scratch("commands");
    const plain = { name: "plain", args: { create: "echo public" } };
    source.settings({
      resources: [plain, { name: "secret", args: { create: "echo $SECRET" }, secretInput: "hunter2" }],
    });
    const up = await source.run("up", { stack: "staging", stateFile: states(), configFile: settingsOf(source) });
    assert.equal(up.exit, 0, source.text);
  });
  after(() => {
    source?.remove();
    environment[Symbol.dispose]();
  });
  afterEach(() => reader?.remove());

  const settingsOf = (scratch: Scratch | undefined) => join(scratch?.folder ?? "", "Pulumi.dev.yaml");
  /** Path of the states of both projects, which have the same name. */
  const states = () => join(source?.folder ?? "", "states", "{stack}.json");
  const read = async (of: string, stateFile = states()) => {
    reader = new Scratch("reference");
    reader.settings({ of, output: "all" });
    const result = await reader.run("up", { stack: "production", stateFile, configFile: settingsOf(reader) });
    return { ...result, text: reader.text, stored: reader.storedText() };
  };

  for (const name of ["staging", "scratch/staging", "organization/scratch/staging"])
    it(`reads outputs and secrets of ${name}, then no change`, async () => {
      const { exit, outputs, text } = await read(name);
      assert.equal(exit, 0, text);
      assert.doesNotMatch(text, /hunter2/);
      const { hidden } = outputs as { hidden: { value: object } };
      assert.deepEqual(hidden.value, { plain: "public", secret: "hunter2" });
      const again = await reader?.run("up", {
        stack: "production",
        stateFile: states(),
        configFile: settingsOf(reader),
        expectNoChanges: true,
      });
      assert.deepEqual([again?.exit, again && stepsOf(again)], [0, []]);
    });

  const wrong: readonly [what: string, name: string, stateFile: string | undefined, message: RegExp][] = [
    ["a missing stack", "nowhere", undefined, /unknown stack "nowhere": .*nowhere\.json not found/],
    ["another project's stack", "organization/other/staging", undefined, /use <stack> or organization\/scratch/],
    [
      "another stack if the state path has no {stack}",
      "staging",
      "state.json",
      /unknown stack "staging": to find its state, use \{stack\}/,
    ],
  ];
  for (const [what, name, stateFile, message] of wrong)
    it(`rejects ${what}`, async () => {
      const { exit, text } = await read(name, stateFile && join(source?.folder ?? "", stateFile));
      assert.notEqual(exit, 0);
      assert.match(text, message);
    });

  it("reads no outputs of its own stack at first, then the previous ones", async () => {
    reader = new Scratch("reference");
    reader.settings({ of: "production", output: "read" });
    const own = { stack: "production", stateFile: join(reader.folder, "{stack}.json"), configFile: settingsOf(reader) };
    const first = await reader.run("up", own);
    assert.deepEqual([first.exit, first.outputs.all], [0, {}], reader.text);
    const { all } = (await reader.run("up", own)).outputs;
    assert.deepEqual(all, first.outputs);
  });
});
