import assert from "node:assert/strict";
import { join } from "node:path";
import { Kubectl, KubectlError, redact } from "../../src/cluster/kubectl.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";

/** Runs a command of a kubectl that is a shell script. */
async function run(script: string, timeoutSeconds?: number, isComplete?: (output: string) => boolean): Promise<string> {
  using program = kubectlProgram(`#!/bin/sh\n${script}\n`);
  return await program.kubectl.run(["get", "pods"], "the input", timeoutSeconds, isComplete);
}

describe("Kubectl", () => {
  it("passes context, namespace, arguments and standard input", async () => {
    assert.equal(await run('echo "$@"; cat'), "--context=here --namespace=unity get pods\nthe input");
  });

  it("passes no context if the target has none", async () => {
    using program = kubectlProgram('#!/bin/sh\necho "$@"\n');
    const kubectl = new Kubectl({ namespace: "unity" }, { program: join(program.folder, "kubectl") });
    assert.equal(await kubectl.run(["get", "pods"]), "--namespace=unity get pods\n");
  });

  it("reads a given kubeconfig from a file that only its user can read", async () => {
    using program = kubectlProgram(
      `#!/bin/sh\nfile=$(echo "$1" | cut --delimiter== --fields=2); stat --format=%a $file; cat $file\n`,
    );
    const target = { namespace: "unity", kubeconfig: "the content" };
    const kubectl = new Kubectl(target, { program: join(program.folder, "kubectl") });
    assert.equal(await kubectl.run(["get", "pods"]), "600\nthe content");
  });

  const failures: readonly [what: string, script: string, message: RegExp][] = [
    ["standard error", "echo out; echo 'no such pod' >&2; exit 1", /^no such pod$/],
    ["standard output, where that is all", "echo out; exit 1", /^out$/],
    ["its exit code, without output", "exit 3", /^kubectl exited with code 3$/],
    ["the error without a password", "echo https://me:hunter2@api >&2; exit 1", /^https:\/\/me:\[secret\]@api$/],
  ];
  for (const [what, script, message] of failures) {
    it(`fails with ${what}`, async () => {
      await assert.rejects(run(script), (error) => error instanceof KubectlError && message.test(error.message));
    });
  }

  it("kills a kubectl that takes too long", async () => {
    await assert.rejects(run("exec sleep 600", 0.2), /^KubectlError: kubectl timed out after 0\.2s$/);
  });

  it("doesn't wait for a child of the kubectl that it kills", async () => {
    const started = performance.now();
    await assert.rejects(run("sleep 2; echo late", 0.2), /timed out after 0\.2s$/);
    assert.ok(performance.now() - started < 10_000);
  });

  it("reports a slow cluster once, and no command with a limit of its own", async () => {
    using program = kubectlProgram("#!/bin/sh\nsleep 7\n");
    const lines: string[] = [];
    const options = { program: join(program.folder, "kubectl"), report: (line: string) => void lines.push(line) };
    const kubectl = new Kubectl({ context: "here", namespace: "unity" }, options);
    await Promise.all([kubectl.run(["get"]), kubectl.run(["get"]), kubectl.run(["exec"], "", 30)]);
    assert.deepEqual(lines, ["Waiting for the cluster (context here): 5s"]);
  }).timeout(20_000);

  it("returns as soon as the output is complete", async () => {
    assert.match(await run("echo done; exec sleep 600", 30, (output) => output.includes("done")), /^done/);
  });

  it("reports a missing program", async () => {
    const kubectl = new Kubectl({ context: "here", namespace: "unity" }, { program: "/no/such/kubectl" });
    await assert.rejects(kubectl.run(["get", "pods"]), { name: "KubectlError", kind: "not-installed" });
  });
});

describe("redact", () => {
  const cases: readonly [what: string, given: string, result: string][] = [
    ["one letter, but not in words", "a database at postgresql://u:a@h/a", "a database at postgresql://u:[secret]@h/a"],
    ["with an @", "postgresql://u:p@ss@h/d, mail me@x", "postgresql://u:[secret]@h/d, mail me@x"],
    ["with a slash and quotes", `postgresql://u:p/s"s'@h/d`, "postgresql://u:[secret]@h/d"],
    ["percent-encoded", "postgresql://u:p%40ss%2F@h", "postgresql://u:[secret]@h"],
    ["in an encoded URL", "url=postgresql%3A%2F%2Fu%3Ap%2540ss%40h%2Fd", "url=postgresql%3A%2F%2Fu%3A[secret]%40h%2Fd"],
    ["in JSON", '{"a":"postgresql://u:p\\"s@h/d","b":"c@d"}', '{"a":"postgresql://u:[secret]@h/d","b":"c@d"}'],
    ["in JSON with escaped slashes", '"postgresql:\\/\\/u:p@h\\/d"', '"postgresql:\\/\\/u:[secret]@h\\/d"'],
    ["as a parameter", "postgresql://h/d?user=u&password=p%40&a=b", "postgresql://h/d?user=u&password=[secret]&a=b"],
    ["of libpq", "host=h password='a b' user=u PGPASSWORD=p", "host=h password=[secret] user=u PGPASSWORD=[secret]"],
  ];
  for (const [what, given, result] of cases) {
    it(`replaces a password ${what}`, () => {
      assert.equal(redact(given), result);
      assert.equal(redact(redact(given)), redact(given));
    });
  }

  it("keeps a text without passwords", () => {
    for (const text of ["http://localhost:8000/health at 10:30", "password authentication failed", "a::text"])
      assert.equal(redact(text), text);
  });
});
