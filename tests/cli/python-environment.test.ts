import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { endWithTests } from "../support/children.ts";

/**
 * Stands in for Python: it tells its version, "makes" an environment by copying itself there, and "installs" what is
 * not called `broken`. The tests of `unity lock` make a real one.
 */
const standIn = `#!/bin/sh
case "$*" in
  *print*) echo 3 11; echo stand-in ;;
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
    python = interpreter(standIn);
    said.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function make(): Promise<string> {
    return pythonEnvironment({ requirements, folder: kept, python, report: (line) => said.push(line) });
  }

  function interpreter(script: string): string {
    const path = join(folder, "python");
    writeFileSync(path, script);
    chmodSync(path, 0o755);
    return path;
  }

  it("is made once, with progress, and again when requirements.txt changes", async () => {
    const first = await make();
    assert.equal(existsSync(first), true);
    assert.match(said[0] ?? "", /Making the Python environment of .*requirements\.txt/);
    assert.deepEqual(said.slice(1), ["  Collecting all"]);
    said.length = 0;
    assert.equal(await make(), first);
    assert.deepEqual(said, []);
    writeFileSync(requirements, "alembic==1\n");
    assert.notEqual(await make(), first);
  });

  it("is not used when half made, and what a killed run left is removed", async () => {
    const link = (await make()).replace(/\/bin\/python$/, "");
    rmSync(realpathSync(link), { recursive: true });
    const gone = spawnSync("true").pid;
    mkdirSync(`${link}.${gone}/bin`, { recursive: true });
    writeFileSync(`${link}.${gone}/bin/python`, "half");
    using other = spawn("sleep", ["60"]);
    mkdirSync(`${link}.${other.pid}`);
    assert.equal(existsSync(await make()), true);
    assert.equal(existsSync(`${link}.${gone}`), false);
    assert.equal(existsSync(`${link}.${other.pid}`), true, "another run's half is its own");
  });

  it("is not kept when the requirements can't be installed", async () => {
    writeFileSync(requirements, "broken\n");
    await assert.rejects(make(), /pip can't install .*requirements\.txt.*\nCollecting all/s);
    assert.deepEqual(readdirSync(kept), []);
  });

  it("is shared by runs at the same time", async () => {
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
    ["Python", () => "no-such-python", /no-such-python does not run .*apt-get install python3 python3-venv/],
    ["a Python that is new enough", () => interpreter("#!/bin/sh\necho 3 8\n"), /Python 3\.8; 3\.9 or later is needed/],
    [
      "Python's venv module",
      () => interpreter('#!/bin/sh\ncase "$2" in *venv*) exit 1;; *) echo 3 11;; esac\n'),
      /has no venv module: on Debian and Ubuntu, apt-get install python3-venv/,
    ],
  ];
  for (const [name, lacking, says] of missing) {
    it(`names ${name} when it is missing, and the way to get it`, async () => {
      python = lacking();
      await assert.rejects(make(), says);
    });
  }

  it("says what to do without requirements.txt", async () => {
    rmSync(requirements);
    await assert.rejects(make(), /There is no .*requirements\.txt.*--python <interpreter>/s);
  });
});
