import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { findProgram } from "../../local/cluster/prerequisites.ts";
import { checkNames } from "../../src/checks/names.ts";
import { complete } from "../../src/cli/completion/complete.ts";
import { unityProgram } from "../../src/cli/program.ts";
import { projectRoot } from "../../src/paths.ts";
import { onTerminal, type Step, unity } from "./unity.ts";

const candidates = (shell: "bash" | "zsh" | "fish", ...args: readonly string[]) =>
  complete(unityProgram(), shell, args)
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\t")[0]);

const stacks = readdirSync(projectRoot).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);

describe("completion candidates", () => {
  const table: readonly [string, readonly string[], readonly string[]][] = [
    ["commands", ["st"], ["status"]],
    ["names of checks", ["verify", ""], checkNames],
    ["each check once", ["verify", "tables", "ta"], []],
    ["checks after an option that takes no value", ["verify", "--json", "rev"], ["revision", "reversible"]],
    ["checks after an option's value", ["verify", "--stack", "dev", "rev"], ["revision", "reversible"]],
    ["an option's choices", ["apply", "--method", ""], ["job", "exec"]],
    ["stacks", ["status", "--stack", ""], stacks],
    ["revisions of the lock", ["lock", "--rewrite", "12"], ["12e8b371598f", "12df4f8e6ba9"]],
    ["options", ["plan", "--f"], ["--full"]],
    ["shells", ["completion", ""], ["bash", "zsh", "fish"]],
    ["files", ["plan", "--config-file", ""], [":files"]],
    ["folders", ["docs", "--output", "x"], [":folders"]],
    ["nothing for a command without arguments", ["status", ""], []],
    ["nothing for a free value", ["status", "--namespace", ""], []],
    ["nothing for an unknown option", ["status", "--wrong="], []],
  ];
  for (const [what, args, offered] of table) {
    it(`are ${what}`, () => assert.deepEqual(candidates("zsh", ...args), offered));
  }

  it("are whole words for zsh and fish, and the part after = for bash", () => {
    assert.deepEqual(candidates("fish", "status", "--stack=d"), ["--stack=dev"]);
    assert.deepEqual(candidates("bash", "status", "--stack", "=", "d"), ["dev"]);
    assert.deepEqual(candidates("bash", "status", "--stack", "="), stacks);
  });

  it("have the description of an option or a command", () => {
    assert.match(complete(unityProgram(), "zsh", ["plan"]), /^plan\tShow what `pulumi up` will do/);
  });
});

describe("pulumi-alembic completion", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-completion-"));
    symlinkSync(join(projectRoot, "src", "cli", "main.ts"), join(folder, "pulumi-alembic"));
    // Typed words must never run: this would create a file.
    writeFileSync(join(folder, "inject"), `#!/bin/sh\ntouch ${folder}/injected\n`);
    chmodSync(join(folder, "inject"), 0o755);
  });
  after(() => rmSync(folder, { recursive: true }));

  const clear = "\u0015";
  const steps: readonly Step[] = [
    ["pulumi-alembic st\t", "pulumi-alembic status"],
    [`${clear}pulumi-alembic verify datab\t`, "verify database-host"],
    [`${clear}pulumi-alembic apply --method e\t`, "--method exec"],
    [`${clear}pulumi-alembic status --stack=d\t`, "--stack=dev"],
    [`${clear}pulumi-alembic lock --rewrite 12e\t`, "--rewrite 12e8b371598f"],
    [`${clear}pulumi-alembic plan --config-file Pulumi.d\t`, "--config-file Pulumi.dev.yaml"],
    [`${clear}pulumi-alembic verify $(inject) rever\t`, "reversible"],
  ];
  const start: Readonly<Record<string, readonly [readonly string[], readonly Step[]]>> = {
    bash: [["bash", "--norc", "-i"], [["source <(pulumi-alembic completion bash); echo rea''dy\n", "ready"]]],
    zsh: [
      ["zsh", "-f", "-i"],
      [["autoload -U compinit; compinit -D -u; source <(pulumi-alembic completion zsh); echo rea''dy\n", "ready"]],
    ],
    fish: [["fish", "--no-config", "-i"], [["pulumi-alembic completion fish | source; echo rea''dy\n", "ready"]]],
  };
  for (const [shell, [command, ready]] of Object.entries(start)) {
    it(`completes in a real ${shell} without running typed words`, async function () {
      if (findProgram(shell) === undefined) return this.skip();
      const PATH = [folder, process.env.PATH].join(delimiter);
      const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
      const { code, stdout, stderr } = await onTerminal(command, [...ready, ...steps], { PATH, ...home });
      assert.equal(stderr, "", stdout);
      assert.equal(code, 0);
      assert.ok(!existsSync(join(folder, "injected")));
    });
  }

  it("lists the supported shells", async () => {
    const { code, stderr } = await unity("completion", "tcsh");
    assert.equal(code, 2);
    assert.match(stderr, /Allowed choices are bash, zsh, fish/);
  });
});
