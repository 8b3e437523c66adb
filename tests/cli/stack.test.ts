import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { addStackOptions, readStack, type StackOptions } from "../../src/cli/stack.ts";

describe("the stack of a command", () => {
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
    ["that of --stack", ["--stack", "one"], {}, "Pulumi.one"],
    ["that of --config-file", ["--config-file", "elsewhere.yaml"], {}, "elsewhere"],
    ["that of PULUMI_STACK", [], { PULUMI_STACK: "two" }, "Pulumi.two"],
    ["that of UNITY_CONFIG_FILE", [], { UNITY_CONFIG_FILE: "elsewhere.yaml" }, "elsewhere"],
    [
      "that of --stack before UNITY_CONFIG_FILE",
      ["--stack", "one"],
      { UNITY_CONFIG_FILE: "elsewhere.yaml" },
      "Pulumi.one",
    ],
    [
      "that of --config-file before PULUMI_STACK",
      ["--config-file", "Pulumi.two.yaml"],
      { PULUMI_STACK: "one" },
      "Pulumi.two",
    ],
  ];
  /** Returns the context of a command's stack. */
  async function contextOf(args: readonly string[], environment: Record<string, string>): Promise<string | undefined> {
    Object.assign(process.env, environment);
    let found: string | undefined;
    const command = addStackOptions(new Command()).action((options: StackOptions) => {
      found = readStack(options)["unity:context"];
    });
    await command.parseAsync(args, { from: "user" });
    return found;
  }

  for (const [what, args, environment, context] of cases) {
    it(`is ${what}`, async () => assert.equal(await contextOf(args, environment), context));
  }

  it("is ambiguous with PULUMI_STACK and UNITY_CONFIG_FILE", async () => {
    const environment = { PULUMI_STACK: "two", UNITY_CONFIG_FILE: "elsewhere.yaml" };
    await assert.rejects(
      contextOf([], environment),
      /PULUMI_STACK \(two\) and UNITY_CONFIG_FILE \(.*elsewhere\.yaml\) are both set/,
    );
  });
});
