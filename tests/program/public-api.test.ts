import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import ts from "typescript";
import { projectRoot } from "../../src/paths.ts";

/** Returns the modules that a file imports, types and dynamic imports included. */
function importsOf(file: string): readonly string[] {
  const source = readFileSync(join(projectRoot, file), "utf8");
  return ts.preProcessFile(source, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Source files of the entries that the package exports. */
function exportedEntries(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  const built = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry.default]));
  return built.map((file) => file.replace("./dist/", "").replace(/\.js$/, ".ts"));
}

describe("Unity's program", () => {
  const entries = exportedEntries();
  /** The program's files: what it imports of the project, besides the package's entries. */
  const files = new Set(["index.ts"]);
  for (const file of files) {
    for (const name of importsOf(file).filter((each) => each.startsWith("."))) {
      const path = relative(projectRoot, resolve(projectRoot, file, "..", name));
      if (!entries.includes(path)) files.add(path);
    }
  }

  it("imports nothing of the project that the package does not export", () => {
    assert.ok(entries.length > 0 && entries.every((file) => existsSync(join(projectRoot, file))), entries.join());
    assert.deepEqual(
      [...files].filter((file) => file.includes("/")),
      [],
    );
    const used = [...files].flatMap((file) => importsOf(file));
    for (const entry of entries) assert.ok(used.includes(`./${entry}`), entry);
  });

  it("imports only packages that such a program depends on besides", () => {
    const packages = [...files].flatMap((file) => importsOf(file)).filter((name) => !/^(\.|node:)/.test(name));
    assert.deepEqual([...new Set(packages)].sort(), ["@pulumi/kubernetes", "@pulumi/pulumi"]);
  });
});

describe("the program of an example with one database", () => {
  for (const file of ["notes/index.ts", "fastapi/deploy/index.ts", "flask/deploy/index.ts"]) {
    it(`has at most 40 lines: ${file}`, () => {
      const lines = readFileSync(join(projectRoot, "examples", file), "utf8")
        .trimEnd()
        .split("\n").length;
      assert.ok(lines <= 40, `${lines} lines`);
    });
  }
});

describe("the README of an example", () => {
  for (const name of ["notes", "fastapi", "flask", "tenants"]) {
    it(`installs the file that npm pack writes: ${name}`, () => {
      const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { version: string };
      const folder = join(projectRoot, "examples", name);
      const readme = readFileSync(join(folder, "README.md"), "utf8");
      const [, installed = ""] = /^npm install (\S+)/m.exec(readme) ?? [];
      const [, program = "."] = /^cd (\S+)$/m.exec(readme) ?? [];
      assert.equal(resolve(folder, program, installed), join(projectRoot, `pulumi-alembic-${version}.tgz`));
    });
  }
});
