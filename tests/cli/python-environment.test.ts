import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { endWithTests } from "../support/children.ts";

/**
 * A fake Python: it prints its version, "creates" an environment by copying itself there, and "installs" everything except
 * `broken`. The tests of `pulumi-alembic lock` create a real one.
 */
const fakePython = `#!/bin/sh
echo "$*" >>"\${0%/*}-calls"
case "$*" in
  *print*) echo 3 11; echo fake ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip install"*) for last; do :; done; echo "Collecting all"; ! grep -q broken "$last" ;;
esac
`;

describe("the backend's Python environment", () => {
  let folder: string;
  let kept: string;
  let requirements: string;
  let python: string;
  const said: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-python-"));
    kept = join(folder, "kept");
    requirements = join(folder, "requirements.txt");
    writeFileSync(requirements, "alembic\n");
    python = interpreter(fakePython);
    said.length = 0;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    rmSync(`${folder}-calls`, { force: true });
  });

  function make(): Promise<string> {
    return pythonEnvironment({ requirements, folder: kept, python, report: (line) => said.push(line) });
  }

  function interpreter(script: string): string {
    const path = join(folder, "python");
    writeFileSync(path, script);
    chmodSync(path, 0o755);
    return path;
  }

  it("is created once, with progress, and again if requirements.txt changes", async () => {
    const first = await make();
    assert.equal(existsSync(first), true);
    assert.match(said[0] ?? "", /Creating the Python environment of .*requirements\.txt/);
    assert.deepEqual(said.slice(1), ["  Collecting all"]);
    said.length = 0;
    const calls = readFileSync(`${folder}-calls`, "utf8");
    assert.equal(await make(), first);
    assert.deepEqual(said, []);
    assert.equal(readFileSync(`${folder}-calls`, "utf8"), calls, "no other process is started");
    writeFileSync(requirements, "alembic==1\n");
    assert.notEqual(await make(), first);
  });

  const local: readonly (readonly [line: string, file: string, isInstalled: boolean])[] = [
    ["-r more/requirements.in", "more/requirements.in", true],
    ["--constraint=constraints.txt # pinned", "constraints.txt", true],
    [".", "src/app/__init__.py", true],
    [".[all] ; python_version > '3'", "pyproject.toml", true],
    ["./lib", "lib/setup.py", true],
    ["-e ./lib", "lib/setup.py", true],
    ["-e ./lib", "lib/code.py", false],
    ["lib @ file:lib", "lib/code.py", true],
    ["./wheels/lib.whl", "wheels/lib.whl", true],
    [".", "build/lib/old.py", false],
    [".", "src/app/__pycache__/old.pyc", false],
    ["https://example.com/lib/lib.whl", "lib/code.py", false],
  ];
  for (const [line, file, isInstalled] of local) {
    it(`${isInstalled ? "changes" : "stays"} with ${file} for ${line}`, async () => {
      const path = join(folder, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "one");
      writeFileSync(requirements, line);
      kept = mkdtempSync(join(tmpdir(), "pulumi-alembic-kept-")); // not a part of the project
      const before = await make();
      writeFileSync(path, "two");
      const after = await make();
      rmSync(kept, { recursive: true });
      assert.equal(after !== before, isInstalled);
    });
  }

  it("replaces the one of earlier sources of the same project", async () => {
    const project = mkdtempSync(join(tmpdir(), "unity-project-"));
    requirements = join(project, "requirements.txt");
    writeFileSync(requirements, ".");
    const environments = [await make()];
    for (const text of ["one", "two"]) {
      writeFileSync(join(project, "code.py"), text);
      environments.push(await make());
    }
    rmSync(project, { recursive: true });
    assert.deepEqual(
      environments.map((each) => existsSync(each)),
      [false, false, true],
    );
    assert.equal(readdirSync(kept).length, 2, "one link and one environment");
  });

  it("is another one for an editable project in another folder", async () => {
    writeFileSync(requirements, "-e .");
    const before = await make();
    const other = mkdtempSync(join(tmpdir(), "unity-other-"));
    requirements = join(other, "requirements.txt");
    writeFileSync(requirements, "-e .");
    assert.notEqual(await make(), before);
    rmSync(other, { recursive: true });
  });

  it("replaces the partial environments of killed runs only", async () => {
    const link = (await make()).replace(/\/bin\/python$/, "");
    rmSync(realpathSync(link), { recursive: true });
    const gone = spawnSync("true").pid;
    mkdirSync(`${link}.${gone}/bin`, { recursive: true });
    writeFileSync(`${link}.${gone}/bin/python`, "half");
    using other = spawn("sleep", ["60"]);
    mkdirSync(`${link}.${other.pid}`);
    assert.equal(existsSync(await make()), true);
    assert.equal(existsSync(`${link}.${gone}`), false);
    assert.equal(existsSync(`${link}.${other.pid}`), true, "the environment of a running process stays");
  });

  it("stays if another run has created it in the meantime", async () => {
    const link = (await make()).replace(/\/bin\/python$/, "");
    const other = `${basename(link)}.${spawnSync("true").pid}`;
    renameSync(realpathSync(link), join(kept, other));
    rmSync(link);
    // The first process after the search for an environment.
    const publish = `*ensurepip*) ln -s ${other} ${link} ;;`;
    interpreter(fakePython.replace('"-m venv "', `${publish}\n  "-m venv "`));
    await make();
    assert.deepEqual(readdirSync(kept).sort(), [basename(link), other]);
    assert.equal(readlinkSync(link), other);
  });

  it("is removed if the requirements can't be installed", async () => {
    writeFileSync(requirements, "broken\n");
    await assert.rejects(make(), /pip can't install .*requirements\.txt.*\nCollecting all/s);
    assert.deepEqual(readdirSync(kept), []);
  });

  it("is shared by concurrent runs", async () => {
    const module = pathToFileURL(join(import.meta.dirname, "../../src/cli/python-environment.ts")).href;
    const options = JSON.stringify({ requirements, folder: kept, python });
    const script = `const { pythonEnvironment } = await import("${module}");
      await pythonEnvironment({ ...${options}, report() {} });`;
    const runs = Array.from({ length: 4 }, () =>
      endWithTests(spawn(process.execPath, ["--input-type=module", "-e", script])),
    );
    const codes = await Promise.all(runs.map((run) => new Promise((resolve) => run.on("close", resolve))));
    assert.deepEqual(codes, [0, 0, 0, 0]);
    assert.equal(readdirSync(kept).length, 2, "one link and one environment");
  });

  const missing: readonly [name: string, python: () => string, says: RegExp][] = [
    ["Python", () => "no-such-python", /can't run no-such-python: .*apt-get install python3 python3-venv/s],
    [
      "a Python that is new enough",
      () => interpreter("#!/bin/sh\necho 3 8\n"),
      /Python 3\.8, but 3\.9 or later is required/,
    ],
    [
      "Python's venv module",
      () => interpreter('#!/bin/sh\ncase "$2" in *venv*) exit 1;; *) echo 3 11;; esac\n'),
      /lacks the venv module\n.*run: apt-get install python3-venv/,
    ],
  ];
  for (const [name, lacking, says] of missing) {
    it(`fails without ${name}, with the command that installs it`, async () => {
      python = lacking();
      await assert.rejects(make(), says);
    });
  }

  it("fails without requirements.txt, with the alternative", async () => {
    rmSync(requirements);
    await assert.rejects(make(), /requirements\.txt not found\n.*--python <interpreter>/);
  });
});
