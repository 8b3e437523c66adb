import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { addStackOptions, readStack, type StackOptions } from "../../src/cli/stack.ts";

describe("which stack a command is about", () => {
  const before = { folder: process.cwd(), environment: { ...process.env } };
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-stacks-"));
    for (const name of ["Pulumi.one", "Pulumi.two", "elsewhere"])
      writeFileSync(join(folder, `${name}.yaml`), `config:\n  unity:context: ${name}\n`);
    process.chdir(folder);
    delete process.env.PULUMI_STACK;
  });
  afterEach(() => {
    process.chdir(before.folder);
    process.env = { ...before.environment };
    rmSync(folder, { recursive: true });
  });

  const cases: readonly [what: string, args: string[], environment: Record<string, string>, context: string][] = [
    ["the one that is named", ["--stack", "one"], {}, "Pulumi.one"],
    ["the one of a file", ["--config-file", "elsewhere.yaml"], {}, "elsewhere"],
    ["that of the environment", [], { PULUMI_STACK: "two" }, "Pulumi.two"],
    ["the file of the environment", [], { UNITY_CONFIG_FILE: "elsewhere.yaml" }, "elsewhere"],
    [
      "the one that is named, not the environment's",
      ["--stack", "one"],
      { UNITY_CONFIG_FILE: "elsewhere.yaml" },
      "Pulumi.one",
    ],
    [
      "the file that is named, not the environment's",
      ["--config-file", "Pulumi.two.yaml"],
      { PULUMI_STACK: "one" },
      "Pulumi.two",
    ],
  ];
  /** The context of the stack that a command is about. */
  async function contextOf(args: readonly string[], environment: Record<string, string>): Promise<string | undefined> {
    Object.assign(process.env, environment);
    let found: string | undefined;
    const command = addStackOptions(new Command()).action((options: StackOptions) => {
      found = readStack(options).values["unity:context"];
    });
    await command.parseAsync(args, { from: "user" });
    return found;
  }

  for (const [what, args, environment, context] of cases) {
    it(`is ${what}`, async () => assert.equal(await contextOf(args, environment), context));
  }

  it("is asked for where the environment names two", async () => {
    const environment = { PULUMI_STACK: "two", UNITY_CONFIG_FILE: "elsewhere.yaml" };
    await assert.rejects(
      contextOf([], environment),
      /PULUMI_STACK \(two\) and UNITY_CONFIG_FILE \(.*elsewhere\.yaml\) are both set/,
    );
  });
});
