import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../../src/paths.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Docker and clusters can't run in a unit test: programs that list and log stand in for them. */
const log = `echo "$(basename "$0") $*" >>"$(dirname "$0")/log"`;
const programs = {
  docker: `case "$1 $2" in "image inspect") exit 1 ;; esac`,
  kubectl: `case "$*" in *current-context) echo k3d-two ;; *stopped*) exit 1 ;; esac`,
  kind: `case "$*" in "get clusters") echo stopped; echo one ;; esac`,
  k3d: `case "$*" in "cluster list "*) echo '[{"name": "two", "serversRunning": 1}]' ;; esac`,
  minikube: `case "$*" in "profile list "*) echo '{"invalid": [], "valid": [{"Name": "three", "Status": "OK"}]}' ;; esac`,
} as const;
type Program = keyof typeof programs;

/** Opens the target of a demo in a process without other programs, and returns its JSON, output, and log. */
function open(available: readonly Program[], variables: NodeJS.ProcessEnv = {}, failing: readonly Program[] = []) {
  using folder = temporaryFolder();
  const bin = join(folder.path, "bin");
  mkdirSync(bin);
  for (const name of available) {
    const body = failing.includes(name) ? "exit 1" : programs[name];
    writeFileSync(join(bin, name), `#!/bin/sh\n${log}\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  for (const tool of ["basename", "dirname"]) {
    const path = spawnSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim();
    writeFileSync(join(bin, tool), `#!/bin/sh\nexec ${path} "$@"\n`, { mode: 0o755 });
  }
  const script = `
    const { openTarget } = await import(${JSON.stringify(join(projectRoot, "local/target.ts"))});
    const { environment, ...target } = await openTarget(process.env, async (image) => console.log("beside " + image));
    console.log("target " + JSON.stringify(target));`;
  const env = { PATH: `${bin}:${dirname("/bin/sh")}`, PULUMI_ALEMBIC_CACHE: folder.path, ...variables };
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    env,
    encoding: "utf8",
  });
  const target = /^target (.*)$/m.exec(stdout)?.[1];
  return {
    target: target === undefined ? undefined : JSON.parse(target),
    output: stdout + stderr,
    log: existsSync(join(bin, "log")) ? readFileSync(join(bin, "log"), "utf8") : "",
  };
}

describe("a cluster of kind, k3d, or minikube", () => {
  it("is used if it runs, said in one line, with images that Docker builds", () => {
    const { target, output, log } = open(["docker", "kubectl", "kind"]);
    assert.equal(target?.context, "kind-one", output);
    assert.equal(target.namespace, "unity-demo");
    assert.match(output, /^Using kind cluster one \(context kind-one\)\. .* CONTEXT=unity-local$/m);
    assert.match(output, new RegExp(`^beside ${target.image}$`, "m"));
    assert.match(log, new RegExp(`^docker build --tag ${target.image} ${join(projectRoot, "backend")}$`, "m"));
    assert.match(log, new RegExp(`^kind load docker-image ${target.image} --name one$`, "m"));
  });

  const loads: readonly (readonly [tool: Program, context: string, load: RegExp])[] = [
    ["k3d", "k3d-two", /^k3d image import \S+ --cluster two$/m],
    ["minikube", "three", /^minikube image load \S+ --profile three$/m],
  ];
  for (const [tool, context, load] of loads)
    it(`gets its images from ${tool}`, () => {
      const { target, output, log } = open(["docker", "kubectl", tool]);
      assert.equal(target?.context, context, output);
      assert.match(log, load);
    });

  it("is that of kubectl's current context, if there are several", () => {
    assert.equal(open(["docker", "kubectl", "kind", "k3d", "minikube"]).target?.context, "k3d-two");
  });

  it("is that of CONTEXT, which then needs no IMAGE", () => {
    assert.equal(open(["docker", "kubectl", "kind", "k3d"], { CONTEXT: "kind-one" }).target?.context, "kind-one");
  });

  it("gets no image if IMAGE is set", () => {
    const image = "registry.example/backend:1";
    const { target, log } = open(["docker", "kubectl", "kind"], { CONTEXT: "kind-one", IMAGE: image });
    assert.equal(target?.image, image);
    assert.doesNotMatch(log, /docker build|kind load/);
  });

  const others: readonly (readonly [what: string, available: readonly Program[], failing: readonly Program[]])[] = [
    ["Docker does not run", ["docker", "kubectl", "kind"], ["docker"]],
    ["its API does not respond", ["docker", "kubectl", "kind"], ["kubectl"]],
    ["the tool has none", ["docker", "kubectl", "minikube"], ["minikube"]],
    ["kubectl is missing", ["docker", "kind"], []],
  ];
  for (const [what, available, failing] of others)
    it(`is not used if ${what}`, () => {
      const { target, output } = open(available, {}, failing);
      assert.equal(target, undefined);
      assert.doesNotMatch(output, /Using /);
      assert.match(output, /^beside [\s\S]*(?:go not found on PATH|requires root)/m);
    });

  it("is not used if CONTEXT names the project's own", () => {
    const { target, log, output } = open(["docker", "kubectl", "kind"], { CONTEXT: "unity-local" });
    assert.equal(target, undefined, output);
    assert.equal(log, "");
  });
});
