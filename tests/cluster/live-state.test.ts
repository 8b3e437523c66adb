import assert from "node:assert/strict";
import { Kubectl } from "../../cluster/kubectl.ts";
import { type Live, readLive } from "../../cluster/live-state.ts";
import { answer, type FakeAnswers, fakeKubectl, nothingDeployed } from "../support/fake-kubectl.ts";

async function read(answers: Partial<FakeAnswers>, owned = true): Promise<Live> {
  const remove = fakeKubectl({ ...nothingDeployed, ...answers });
  try {
    return await readLive(new Kubectl({ context: "here", namespace: "unity" }), owned);
  } finally {
    remove();
  }
}

const pod = (workload: string) => ({
  kind: "Pod",
  metadata: { name: `${workload}-1`, labels: { "app.kubernetes.io/name": workload } },
  status: {},
});
const job = (name: string, type?: string, more: object = {}) => ({
  kind: "Job",
  metadata: { name, ...more },
  status: type === undefined ? {} : { conditions: [{ type, status: "True" }] },
});
const list = (...items: object[]) => ({ output: JSON.stringify({ items }) });
const refused = { error: "psycopg.OperationalError: connection refused\ncommand terminated with exit code 1" };

describe("readLive", function () {
  this.timeout(10_000);

  it("finds nothing deployed where the namespace or the pods are missing", async () => {
    assert.deepEqual(await read({}), { reading: { kind: "not-deployed" }, jobs: [] });
  });

  it("takes PostgreSQL's answer where the stack owns it, else the backend's, whatever the image prints before", async () => {
    const answers = { backend: answer(["a", "b"], "hello\n"), postgres: answer(null) };
    assert.deepEqual((await read(answers)).reading, { kind: "rows", rows: null });
    assert.deepEqual((await read(answers, false)).reading, { kind: "rows", rows: ["a", "b"] });
  });

  it("takes the backend's where PostgreSQL gives none, and says why when neither does", async () => {
    assert.deepEqual((await read({ backend: answer([]) })).reading, { kind: "rows", rows: [] });
    const { reading } = await read({ list: list(pod("unity-backend")), backend: refused });
    const cause = "unity-backend: psycopg.OperationalError: connection refused";
    assert.deepEqual(reading, { kind: "unreachable", what: "database", cause });
  });

  it("calls an answer that makes no sense no answer", async () => {
    const { reading } = await read({ list: list(pod("unity-backend")), backend: answer({ rows: 1 }) });
    assert.ok(reading.kind === "unreachable" && reading.cause.includes('unity-backend: answered {"rows":1}'));
  });

  it("tells each Job's state", async () => {
    const { jobs } = await read({
      list: list(
        job("new"),
        job("done", "Complete"),
        job("bad", "Failed"),
        job("failing", "FailureTarget"),
        job("gone", "Complete", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        pod("unity-db-migrate"),
      ),
    });
    const states = ["running", "complete", "failed", "failed", "deleting"];
    assert.deepEqual(
      jobs.map(({ state }) => state),
      states,
    );
  });

  it("says what keeps it from the cluster, without a password", async () => {
    const error = "E0101 00:00:00.1 1 x.go:1] noise\nerror: proxy http://user:hunter2@proxy refuses";
    const { reading } = await read({ list: { error } });
    const cause = "error: proxy http://user:[secret]@proxy refuses";
    assert.deepEqual(reading, { kind: "unreachable", what: "cluster", cause });
  });

  it("waits no longer than 3 s for a cluster that does not answer", async () => {
    const started = performance.now();
    const { reading } = await read({ list: "silence", backend: "silence", postgres: "silence" });
    assert.ok(performance.now() - started < 3500);
    const cause = "kubectl gave no answer within 3 s.";
    assert.deepEqual(reading, { kind: "unreachable", what: "cluster", cause });
  });
});
