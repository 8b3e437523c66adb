import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, http } from "../../src/checks/custom.ts";
import type { CheckResult, Expected } from "../../src/checks/result.ts";
import { runChecks } from "../../src/checks/run.ts";
import type { RolloutItem } from "../../src/cluster/rollout.ts";
import { expected } from "../support/checks.ts";
import { type FakeKubectl, kubectlProgram } from "../support/fake-kubectl.ts";
import { deployment, servingPod } from "../support/kubernetes.ts";

/** Runs a pod's command on this machine, and reports its exit code as kubectl does. */
const script = (folder: string) => `#!/bin/sh
echo "$*" >> '${folder}/commands'
case "$*" in
  *" get "*) exec cat '${folder}/items.json' ;;
  *" logs "*app=worker*) echo '[pod/worker-rs2-pod/worker-main] psycopg.errors.UndefinedTable: nope'; exit ;;
  *" logs "*) exit ;;
esac
while [ "$1" != -- ]; do shift; done
shift
[ "$1" != python ] || { shift; set -- python3 "$@"; }
"$@" || { code=$?; echo "command terminated with exit code $code" >&2; exit $code; }
`;

describe("custom checks against pods", () => {
  let folder: string;
  let server: Server;
  let port: number;
  let fake: FakeKubectl;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "unity-custom-"));
    server = createServer((request, response) => {
      if (request.url === "/items?a=1") return response.end('{"items":[{"id":7}]}');
      if (request.url === "/long") return response.end(`"${"x".repeat(2 ** 20)}"`);
      if (request.url === "/moved") return response.writeHead(302, { location: "/items?a=1" }).end();
      if (request.url === "/slow") return response.write("x") && setInterval(() => response.write("x"), 200).unref();
      return undefined; // no response
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    fake = kubectlProgram(script(folder));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    fake[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  /** Runs checks of the workloads `app`, which listens on the server's port, and `worker`, which declares none. */
  async function run(...checks: Expected["checks"]): Promise<readonly CheckResult[]> {
    const workloads = ["app", "worker"].flatMap((name) => {
      const [first, ...sets] = deployment(1);
      const ports = name === "app" ? [{ protocol: "UDP", containerPort: 1 }, { containerPort: port }] : [];
      const pod = servingPod(`${name}-rs2`);
      const spec = { containers: [{ name: `${name}-main`, ports }] };
      return [
        { ...first, metadata: { ...first?.metadata, name, uid: name }, spec: specOf(name) },
        ...sets.map((set) => owned(set, name)),
        { ...pod, spec },
      ];
    });
    writeFileSync(join(folder, "items.json"), JSON.stringify({ items: workloads }));
    return runChecks({ ...expected, workloads: ["app", "worker"], checks }, () => {}, fake.kubectl);
  }

  const specOf = (name: string) => ({
    replicas: name === "app" ? 1 : 2,
    selector: { matchLabels: { app: name } },
    template: { spec: { containers: [] } },
  });
  const owned = (set: RolloutItem, owner: string) => ({
    ...set,
    metadata: { ...set.metadata, uid: `${owner}-${set.metadata.uid}`, ownerReferences: [{ uid: owner }] },
  });
  const findings = (results: readonly CheckResult[]) =>
    results.map(({ name, passed, found }) => [name, passed, found.replace(/\[Errno \d+\] /, "")]);

  it("send requests to the first port, or to the given one of another workload", async () => {
    const results = await run(
      http("/items?a=1", { json: { pointer: "/items/0/id", value: 7 } }),
      http("/moved", { port, workload: "worker", status: 302 }),
      http("/long", { json: { pointer: "", value: "x" } }),
      http("/", { workload: "worker", name: "no port" }),
      http("/", { workload: "absent" }),
      http("/", { port: 1, name: "refused" }),
    );
    assert.deepEqual(findings(results), [
      ["http /items?a=1", true, "HTTP 200, /items/0/id is 7"],
      [`http worker:${port}/moved`, true, "HTTP 302"],
      ["http /long", false, "HTTP 200, a body of more than 1 MiB"],
      ["no port", false, "container worker-main of pod worker-rs2-pod declares no port; set the check's port"],
      ["http absent/", false, "no pod of absent is ready (0 of its newest release)"],
      ["refused", false, "ConnectionRefusedError: Connection refused"],
    ]);
    assert.equal(
      results[0]?.command,
      `kubectl --context c -n n exec deployment/app -- python -c 'from http.client import HTTPConnection; c = HTTPConnection("127.0.0.1", ${port}, timeout=30); c.request("GET", "/items?a=1"); r = c.getresponse(); print(r.status, r.read().decode())'`,
    );
  });

  it("run commands without a shell, with their exit codes and output", async () => {
    const results = await run(
      command(["printf", "%s", "$HOME *"], { stdout: "$HOME *" }),
      command(["sh", "-c", "echo out; echo err >&2; exit 7"], { exitCode: 7, stdout: "out" }),
      command(["sh", "-c", "echo password=hunter2 >&2; exit 7"], { workload: "worker", container: "side" }),
      command(["printf", "a\\033[31m"], { stdout: "a" }),
    );
    assert.deepEqual(findings(results), [
      ["command 1", true, 'exit code 0, output "$HOME *"'],
      ["command 2", true, 'exit code 7, output "out"'],
      ["command 3", false, "exit code 7: password=[secret]"],
      ["command 4", false, 'exit code 0, output "a\\u001b[31m"'],
    ]);
    assert.match(readFileSync(join(folder, "commands"), "utf8"), / exec worker-rs2-pod --container=side -- sh -c /);
    assert.equal(
      results[2]?.command,
      "kubectl --context c -n n exec deployment/worker -c side -- sh -c 'echo password=hunter2 >&2; exit 7'",
    );
  });

  it("run beside built-in ones, which name the workload that fails", async () => {
    const results = await run("pods", "logs", http("/items?a=1"));
    assert.deepEqual(findings(results), [
      ["pods", false, "worker: 1/2 ready"],
      ["logs", false, "worker: errors in 1 of 1 lines, last: psycopg.errors.UndefinedTable: nope"],
      ["http /items?a=1", true, "HTTP 200"],
    ]);
    assert.equal(results[1]?.command, "kubectl --context c -n n logs deployment/worker --tail=50");
    const lists = readFileSync(join(folder, "commands"), "utf8").match(/ get .*/g);
    assert.equal(
      lists?.at(-1),
      " get deployments,replicasets,pods --selector=!batch.kubernetes.io/job-name --output=json",
    );
  });

  it("that hang end by their timeouts, and fail alone", async () => {
    const results = await run(
      http("/hangs", { timeoutSeconds: 1 }),
      http("/slow", { timeoutSeconds: 1 }),
      command(["sleep", "5"], { timeoutSeconds: 1 }),
      http("/items?a=1"),
    );
    assert.deepEqual(findings(results), [
      ["http /hangs", false, "timed out after 1s"],
      ["http /slow", false, "timed out after 1s"],
      ["command 1", false, "kubectl timed out after 1s"],
      ["http /items?a=1", true, "HTTP 200"],
    ]);
  });
});
