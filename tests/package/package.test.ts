import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../src/paths.ts";
import { installPackage } from "../support/package.ts";
import { packagedPrograms } from "../support/postgres.ts";

const run = promisify(execFile);
const inPackage = (...path: string[]) => ["node_modules", "pulumi-alembic", "dist", ...path].join("/");

/** Output of the consumer. */
interface Declared {
  readonly declared: Readonly<Record<string, { readonly data?: Record<string, string> }>>;
  readonly programs: readonly (readonly string[])[];
  readonly exist: readonly boolean[];
}

describe("the package that npm packs", () => {
  let folder = "";
  /** Runs a program to its end, whatever its exit code. */
  const ended = async (program: string, ...args: string[]) =>
    run(program, args, { cwd: folder }).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "unity-package-"));
    await installPackage(folder);
    for (const file of ["consumer.ts", "strict-program.ts"])
      copyFileSync(join(import.meta.dirname, file), join(folder, file));
    cpSync(join(projectRoot, "examples", "notes", "app"), join(folder, "app"), { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("has no TypeScript but declarations, and the Python that runs in pods", async () => {
    const files = (await ended("find", "node_modules/pulumi-alembic/dist", "-type", "f")).output.split("\n");
    assert.deepEqual(
      files.filter((file) => /(?<!\.d)\.ts$/.test(file)),
      [],
    );
    for (const file of ["src/runner/migrate.py", "src/checks/in-pod/main.py", "src/cluster/in-pod/connection.py"]) {
      assert.ok(files.includes(inPackage(file)), file);
      assert.equal(readFileSync(join(folder, inPackage(file)), "utf8"), readFileSync(join(projectRoot, file), "utf8"));
    }
  });

  it("uses the program's own copies of Pulumi's SDKs if their versions are compatible", () => {
    const { dependencies } = JSON.parse(readFileSync(join(folder, inPackage("..", "package.json")), "utf8"));
    const sdks = Object.entries<string>(dependencies).filter(([name]) => name.startsWith("@pulumi/"));
    assert.deepEqual(sdks.map(([name]) => name).sort(), ["@pulumi/command", "@pulumi/kubernetes", "@pulumi/pulumi"]);
    for (const [name, versions] of sdks) assert.match(versions, /^\^\d/, name);
  });

  const compilers: readonly (readonly [what: string, file: string, options: string])[] = [
    ["as a module", "consumer.ts", "--module nodenext --skipLibCheck --allowImportingTsExtensions"],
    ["with exact optional properties", "strict-program.ts", "--module nodenext --exactOptionalPropertyTypes"],
    [
      "as CommonJS",
      "strict-program.ts",
      "--module commonjs --moduleResolution node10 --ignoreDeprecations 6.0 --skipLibCheck",
    ],
  ];
  for (const [what, file, options] of compilers) {
    it(`has types that a program compiles against: ${what}`, async () => {
      const types = "--noEmit --strict --target es2024 --types node --typeRoots node_modules/@types".split(" ");
      const tsc = join(projectRoot, "node_modules", "typescript", "bin", "tsc");
      const { code, output } = await ended(process.execPath, tsc, ...types, ...options.split(" "), file);
      assert.equal(code, 0, output);
    });
  }

  it("is loaded by a program in JavaScript, as a module and as CommonJS", async () => {
    const programs = [
      'import { planMigration } from "pulumi-alembic"; console.log(typeof planMigration)',
      'const { planMigration } = require("pulumi-alembic"); console.log(typeof planMigration)',
    ];
    for (const [index, program] of programs.entries()) {
      const type = index === 0 ? "module" : "commonjs";
      assert.equal((await ended(process.execPath, `--input-type=${type}`, "--eval", program)).output, "function\n");
    }
  });

  it("declares components in another program, whose commands are found in the package", async () => {
    const { code, output } = await ended(process.execPath, "consumer.ts");
    assert.equal(code, 0, output);
    const { declared, programs, exist } = JSON.parse(output) as Declared;
    const paths = programs.map(([node, file]) => `${node} ${file}`).sort();
    assert.deepEqual(paths, [
      `node ${inPackage("src/cluster/wait/main.js")}`,
      `node ${inPackage("src/fleet/main.js")}`,
    ]);
    assert.deepEqual(exist, [true, true]);
    const jobs = Object.keys(declared).filter((each) => each.startsWith("kubernetes:batch/v1:Job"));
    assert.equal(jobs.length, 3);
    const { data = {} } = declared["kubernetes:core/v1:ConfigMap fleet-runner"] ?? {};
    assert.equal(data["migrate.py"], readFileSync(join(projectRoot, "src", "runner", "migrate.py"), "utf8"));
    assert.deepEqual(JSON.parse(data["chain.json"] ?? "").heads, ["0003"]);
  });

  it("runs its installed programs", async () => {
    for (const file of ["src/cluster/wait/main.js", "src/fleet/main.js", "src/checks/main.js"]) {
      const { code, output } = await ended(process.execPath, inPackage(file));
      assert.equal(code, 2, output);
      assert.match(output, /^usage: /);
    }
  });

  it("names commands as they run where it is installed", async () => {
    const script = 'import { loadChain } from "pulumi-alembic"; loadChain("none")';
    const { output } = await ended(process.execPath, "--input-type=module", "--eval", script);
    assert.match(
      output,
      /lockfile none\/migrations\.lock\.json not found\. Run: npx pulumi-alembic lock --backend none$/m,
    );
    const edited = join(folder, "app", "alembic", "versions", "0001_notebooks.py");
    const before = readFileSync(edited, "utf8");
    writeFileSync(edited, `${before}\n`);
    const changed = await ended(process.execPath, "--input-type=module", "--eval", script.replace("none", "app"));
    writeFileSync(edited, before);
    assert.match(
      changed.output,
      /0001_notebooks\.py .* was changed\. Restore it, or run: npx pulumi-alembic lock --backend app$/m,
    );
  });

  it("has commands that find an app in a cluster, and needs no stack of Unity's", async () => {
    const command = inPackage("src/cli/main.js");
    const help = await ended(process.execPath, command, "status", "--help");
    assert.match(help.output, /--app <name> +app that a program has deployed; default: the only one/);
    assert.doesNotMatch(help.output, /--stack/);
    const unknown = await ended(process.execPath, command, "status");
    assert.deepEqual([unknown.code, unknown.output], [2, "error: no namespace\nPass --namespace <name>.\n"]);
    const apply = await ended(process.execPath, command, "apply", "--context", "c");
    assert.deepEqual(apply.code, 2);
    assert.match(apply.output, /only Unity's own project has stacks for this command; for another app, run: pulumi up/);
  });

  it("contains `pulumi-alembic lock` and `rehearse`, which record another app's chain", async () => {
    const lock = join(folder, "app", "migrations.lock.json");
    const before = readFileSync(lock, "utf8");
    rmSync(lock);
    for (const args of [["lock"], ["rehearse", "--postgres", packagedPrograms()]]) {
      const { code, output } = await ended(process.execPath, inPackage("src/cli/main.js"), ...args, "--backend", "app");
      assert.equal(code, 0, output);
    }
    assert.equal(readFileSync(lock, "utf8"), before);
  });
});
