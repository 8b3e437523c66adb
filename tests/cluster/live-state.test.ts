import assert from "node:assert/strict";
import { join } from "node:path";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { type Live, readLive } from "../../src/cluster/live-state.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { answer, database, databaseAt, type FakeAnswers, fakeKubectl } from "../support/fake-kubectl.ts";

const chain = linearLock("a", "b");

async function read(answers: Partial<FakeAnswers>, owned = true): Promise<Live> {
  using fake = fakeKubectl(answers);
  return await readLive(fake.kubectl, owned, chain);
}

const deployment = (workload: string, more: object = {}, replicas = 1) => ({
  kind: "Deployment",
  metadata: { name: workload, ...more },
  spec: { selector: {}, template: { spec: { containers: [{ name: "proxy" }, { name: workload }] } } },
  status: { replicas },
});
const ours = { annotations: { "pulumi.com/patchForce": "true" } };
const job = (name: string, type?: string, more: object = {}) => ({
  kind: "Job",
  metadata: { name, ...more },
  status: type === undefined ? {} : { conditions: [{ type, status: "True" }] },
});
const list = (...items: object[]) => ({ output: JSON.stringify({ items }) });
const rejected = { error: "psycopg.OperationalError: connection refused\ncommand terminated with exit code 1" };

describe("readLive", () => {
  it("reports nothing deployed without a namespace or pods", async () => {
    const { reading, jobs } = await read({});
    assert.deepEqual({ reading, jobs }, { reading: { kind: "not-deployed" }, jobs: [] });
    const answers = { list: list(deployment("unity-backend", ours, 0)), backend: rejected };
    assert.deepEqual((await read(answers)).reading, { kind: "not-deployed" });
  });

  it("takes an owned PostgreSQL's answer, otherwise the backend's, after other output", async () => {
    const answers = { backend: databaseAt(["a", "b"], "hello\n"), postgres: databaseAt(null) };
    assert.deepEqual((await read(answers)).reading, { kind: "rows", rows: null, database });
    assert.deepEqual((await read(answers, false)).reading, { kind: "rows", rows: ["a", "b"], database });
  });

  it("takes the backend's answer if PostgreSQL has none, and the causes if neither has", async () => {
    assert.deepEqual((await read({ backend: databaseAt([]) })).reading, { kind: "rows", rows: [], database });
    const { reading } = await read({ list: list(deployment("unity-backend", ours)), backend: rejected });
    const cause = "unity-backend: psycopg.OperationalError: connection refused";
    assert.deepEqual(reading, { kind: "unreachable", what: "database", cause });
  });

  it("rejects an unexpected answer", async () => {
    const { reading } = await read({
      list: list(deployment("unity-backend", ours)),
      backend: answer({ rows: [1], database }),
    });
    assert.ok(
      reading.kind === "unreachable" && reading.cause.includes('unity-backend: unexpected response: {"rows":[1],'),
    );
  });

  it("reports the state of migrate Jobs only", async () => {
    const labels = { "app.kubernetes.io/name": "unity-db-migrate" };
    const { jobs } = await read({
      list: list(
        job("unity-db-migrate-1"),
        job("unity-db-migrate-2", "Complete"),
        job("unity-db-migrate-3", "Failed"),
        job("unity-db-migrate", "FailureTarget"),
        job("mine", "Complete", { deletionTimestamp: "2026-01-01T00:00:00Z", labels }),
        job("backup"),
      ),
    });
    const states = ["running", "complete", "failed", "failed", "deleting"];
    assert.deepEqual(
      jobs.map(({ state }) => state),
      states,
    );
  });

  it("reports the plan that a migrate Job was created with", async () => {
    const template = { metadata: { annotations: { "pulumi-alembic/plan": "{}" } } };
    const { jobs } = await read({
      list: list({ ...job("unity-db-migrate-1"), spec: { template } }, job("unity-db-migrate-2")),
    });
    assert.deepEqual(
      jobs.map(({ plan }) => plan),
      ["{}", undefined],
    );
  });

  it("reports the last Job if it was deleted", async () => {
    const annotations = { "pulumi-alembic/last-job": "unity-db-migrate-1" };
    const account = { kind: "ServiceAccount", metadata: { name: "unity-migrations", annotations } };
    const [existing, deleted] = [
      await read({ list: list(account, job("unity-db-migrate-1")) }),
      await read({ list: list(account) }),
    ];
    assert.deepEqual(
      existing.jobs.map(({ state }) => state),
      ["running"],
    );
    assert.deepEqual(deleted.jobs, [{ name: "unity-db-migrate-1", state: "gone" }]);
  });

  it("reports why the cluster is unreachable, without a password", async () => {
    const error = "E0101 00:00:00.1 1 x.go:1] noise\nerror: proxy http://user:hunter2@proxy refuses";
    const { reading } = await read({ list: { error } });
    const cause = "error: proxy http://user:[secret]@proxy refuses";
    assert.deepEqual(reading, { kind: "unreachable", what: "cluster", cause });
  });

  it("reads the Secret's owner where no stack has declared the backend", async () => {
    const secret = { output: "7 true unity/dev\nDATABASE_URL" };
    const expected = { resourceVersion: "7", isOurs: true, owner: "unity/dev", keys: ["DATABASE_URL"] };
    assert.deepEqual((await read({ secret })).objects.secret, expected);
    const unmanaged = await read({ secret: { output: "7\nURL" }, list: list(deployment("unity-backend")) });
    assert.deepEqual(unmanaged.objects.secret, { ...expected, isOurs: false, owner: undefined, keys: ["URL"] });
    const deployed = await read({ secret, list: list(deployment("unity-backend", ours)) });
    assert.equal(deployed.objects.secret, undefined);
    assert.equal((await read({ secret: { error: "secrets is forbidden" } })).objects.secret, undefined);
  });

  it("gives every kubectl the time limit of the cluster", async () => {
    using fake = fakeKubectl({ list: "silence", backend: "silence", postgres: "silence" });
    const target = { context: "here", namespace: "unity", clusterTimeoutSeconds: 0.3 };
    const lines: string[] = [];
    const options = { program: join(fake.folder, "kubectl"), report: (line: string) => void lines.push(line) };
    const { reading } = await readLive(new Kubectl(target, options), true, chain);
    assert.deepEqual(reading, { kind: "unreachable", what: "cluster", cause: "kubectl timed out after 0.3s" });
    assert.deepEqual(lines, []);
  });
});
