import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { containerdSocket } from "../../local/cluster/config.ts";
import { run } from "../../local/cluster/run.ts";
import { removeImages } from "../../local/images/import.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { migrateJob } from "../../src/cluster/wait/job.ts";
import { waitFor } from "../../src/cluster/wait/wait.ts";
import { unity } from "../../src/manifests/app.ts";
import { jobStartSeconds, jobWaitSeconds, type MigrationOptions, migration } from "../../src/manifests/migrate-job.ts";
import { labels, names, serviceAccounts } from "../../src/manifests/names.ts";
import { readRunnerFiles } from "../../src/manifests/runner-files.ts";
import { serviceAccountObject } from "../../src/manifests/security.ts";
import { projectRoot } from "../../src/paths.ts";
import { loadChain } from "../../src/preflight/release.ts";
import { fixtureImage } from "../support/images.ts";
import { testNamespace } from "../support/leftovers.ts";
import { type Server, startServer } from "../support/server.ts";

const { UNITY_CONTEXT: context = "", UNITY_OWN_CLUSTER, UNITY_POSTGRES_IMAGE } = process.env;
const namespace = testNamespace("slow-start");
const kubectl = new Kubectl({ context, namespace });
const app = join(projectRoot, "examples", "notes", "app");
const secretName = "database";
/** Label that a node gets when it is time. */
const nodeLabel = "unity-test/slow-start";
/** Name of the image that the node gets when it is time. */
const lateImage = "localhost/unity-late:1";

/** Time of the migration itself, in seconds: shorter than what its start takes. */
const deadlineSeconds = 15;
const lateSeconds = 20;

describe("the deadline of a migration", () => {
  let server: Server;
  let image: string;
  let databases = 0;

  before(async () => {
    await kubectl.run(["create", "namespace", namespace]);
    [server, image] = await Promise.all([
      startServer(kubectl, UNITY_POSTGRES_IMAGE || "postgres:17"),
      fixtureImage(app, "notes-fixture"),
    ]);
    await create(serviceAccountObject(serviceAccounts.migrations, names.migrateJob));
  });
  after(async () => {
    await kubectl.run(["label", "nodes", "--all", `${nodeLabel}-`]);
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
    if (UNITY_OWN_CLUSTER === "true") await removeImages([lateImage]);
  });

  const create = (...items: object[]) =>
    kubectl.run(["apply", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));

  /** Creates the Job of a migration of a new database, and waits for it. Returns what the wait prints. */
  async function migrate(options: Partial<MigrationOptions>, nodeSelector: object, startTimeoutSeconds = 120) {
    databases += 1;
    const database = `late${databases}`;
    await server.psql("postgres", `CREATE DATABASE ${database}`);
    const timeouts = {
      lockTimeoutSeconds: 2,
      statementTimeoutSeconds: 5,
      deadlineSeconds,
      awaitTimeoutSeconds: 20,
      startTimeoutSeconds,
    };
    const all: MigrationOptions = {
      ...loadChain(app),
      app: unity,
      runnerFiles: readRunnerFiles(),
      image,
      imagePullPolicy: "IfNotPresent",
      secretName: `${secretName}${databases}`,
      timeouts,
      ...options,
    };
    const { configMapName, files, jobSpec, jobName } = migration(all);
    const name = jobName(1);
    const spec = JSON.parse(JSON.stringify(jobSpec()));
    spec.template.spec.nodeSelector = nodeSelector;
    const metadata = { name, labels: labels(names.migrateJob) };
    await create(
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: all.secretName },
        stringData: { DATABASE_URL: `${server.url}/${database}` },
      },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: configMapName }, data: files },
      { apiVersion: "batch/v1", kind: "Job", metadata, spec },
    );
    const limits = { timeoutSeconds: jobWaitSeconds(all), startTimeoutSeconds: jobStartSeconds(all) };
    const target = { context, namespace, name, ...limits };
    const lines: string[] = [];
    await waitFor(kubectl, target, migrateJob(kubectl, target), (line) => lines.push(line));
    const revision = await server.psql(database, "SELECT version_num FROM alembic_version");
    return { printed: lines.join("\n"), revision };
  }

  it("begins when a node is available", async () => {
    const migrating = migrate({}, { [nodeLabel]: "true" });
    await Promise.all([
      migrating,
      delay(lateSeconds * 1000).then(() => kubectl.run(["label", "nodes", "--all", `${nodeLabel}=true`])),
    ]);
    const { printed, revision } = await migrating;
    assert.equal(revision, "0003", printed);
    assert.match(printed, /pod pending; pod \S+ can't be scheduled \[Unschedulable\]/);
    assert.match(printed, /complete after [2-9]\d\.\d+s/);
  });

  it("begins when the image is there", async function () {
    if (UNITY_OWN_CLUSTER !== "true") this.skip(); // the image is put on the node
    await removeImages([lateImage]);
    const migrating = migrate({ image: lateImage }, {});
    await Promise.all([migrating, delay(lateSeconds * 1000).then(() => addLateImage(image))]);
    const { printed, revision } = await migrating;
    assert.equal(revision, "0003", printed);
    assert.match(printed, /can't pull image localhost\/unity-late:1/);
    assert.match(printed, /complete after [2-9]\d\.\d+s/);
  });

  it("is announced as the start's if no node is available in time", async () => {
    await assert.rejects(migrate({}, { [`${nodeLabel}-never`]: "true" }, 8), (error: Error) => {
      assert.match(error.message, /failed after \d+s: its migration did not start within 8s \(startTimeoutSeconds\)/);
      assert.match(error.message, /can't be scheduled \[Unschedulable\]/);
      assert.match(error.message, /Canceled the Job because it never started\./);
      return true;
    });
  });

  it("is not spent by an init container, which is named with its log", async () => {
    const command = ["python", "-u", "-c", "import time; print('still fetching'); time.sleep(60)"];
    const pod = { initContainers: [{ name: "fetch", image, command }] };
    await assert.rejects(migrate({ pod }, {}, 8), (error: Error) => {
      assert.match(error.message, /did not start within 8s .*because init container fetch was still running/);
      assert.match(error.message, /still fetching[\s\S]*Canceled the Job before its migration started\./);
      return true;
    });
  });
});

function addLateImage(image: string): Promise<string> {
  return run("ctr", ["--address", containerdSocket, "--namespace", "k8s.io", "images", "tag", image, lateImage]);
}
