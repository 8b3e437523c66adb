import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "../../../local/cluster/progress.ts";
import type { Pod } from "../../../src/cluster/objects.ts";
import { readLock } from "../../../src/lockfile/read-lock.ts";
import { headAnnotation } from "../../../src/manifests/names.ts";
import { lockFileName } from "../../../src/paths.ts";
import { alembicPython, unity } from "../../cli/unity.ts";
import { exampleStack } from "../../support/example-stack.ts";
import { fixtureImage } from "../../support/images.ts";
import { startLoad } from "../../support/load.ts";

/** A release: its revision, and the SQL with which its code writes and reads a note. */
interface ReleaseOfNotes {
  readonly id: string;
  readonly upgrade: readonly string[];
  readonly downgrade: readonly string[];
  readonly write: string;
  readonly read: string;
}

const writesBody = "(notebook_id, body) VALUES (1, :value)";
const writesBoth = "(notebook_id, body, content, author) VALUES (1, :value, :value, 'a')";
const writesContent = "(notebook_id, content, author) VALUES (1, :value, 'a')";

/** `notes.body` becomes `content`, and each note has an author: split as the findings of the revisions advise. */
const releases: readonly [ReleaseOfNotes, ...ReleaseOfNotes[]] = [
  { id: "0004", upgrade: [], downgrade: [], write: writesBody, read: "body" },
  {
    id: "0005",
    upgrade: ["ALTER TABLE notes ADD COLUMN content TEXT", "ALTER TABLE notes ADD COLUMN author TEXT"],
    downgrade: ["ALTER TABLE notes DROP COLUMN author", "ALTER TABLE notes DROP COLUMN content"],
    write: writesBoth,
    read: "coalesce(content, body)",
  },
  {
    id: "0006",
    upgrade: [
      "UPDATE notes SET content = body WHERE content IS NULL",
      "UPDATE notes SET author = 'unknown' WHERE author IS NULL",
      "ALTER TABLE notes ALTER COLUMN author SET NOT NULL",
    ],
    downgrade: ["ALTER TABLE notes ALTER COLUMN author DROP NOT NULL"],
    write: writesBoth,
    read: "content || left(author, 0)",
  },
  {
    id: "0007",
    upgrade: ["ALTER TABLE notes ALTER COLUMN body DROP NOT NULL"],
    downgrade: ["ALTER TABLE notes ALTER COLUMN body SET NOT NULL"],
    write: writesContent,
    read: "content || left(author, 0)",
  },
  {
    id: "0008",
    upgrade: ["ALTER TABLE notes DROP COLUMN body"],
    downgrade: ["ALTER TABLE notes ADD COLUMN body TEXT"],
    write: writesContent,
    read: "content || left(author, 0)",
  },
];
const least = 10_000;

const statements = (each: readonly string[]) => each.map((sql) => `    op.execute("${sql}")`).join("\n") || "    pass";

const revisionFile = ({ id, upgrade, downgrade }: ReleaseOfNotes, after: string) => `"""Release ${id}

Revision ID: ${id}
Revises: ${after}
"""
from alembic import op
revision = "${id}"
down_revision = "${after}"


def upgrade():
${statements(upgrade)}


def downgrade():
${statements(downgrade)}
`;

/** Writes a note, and reads the newest ones of all releases. */
const endpoint = ({ write, read }: ReleaseOfNotes) => `

@app.get("/work")
def work() -> int:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO notes ${write}"), {"value": "v"})
        found = connection.scalars(text("SELECT ${read} FROM notes ORDER BY id DESC LIMIT 20"))
        assert all(each == "v" for each in found)
    return 1
`;

function replace(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from), `${file} contains ${from}`);
  writeFileSync(file, text.replace(from, to));
}

describe("a renamed and a required column, split as advised, under constant load", () => {
  let app = "";
  let main = "";
  const stack = exampleStack("notes", "rolling-change", async (folder) => {
    app = folder;
    main = readFileSync(join(app, "notes", "main.py"), "utf8");
    await write(releases[0], "0003");
  });
  const { kubectl } = stack;

  before(function () {
    // A Service's address can be reached from the node only, which is this machine if the cluster is the project's.
    if (process.env.UNITY_OWN_CLUSTER !== "true") this.skip();
    const program = join(stack.program.folder, "index.ts");
    replace(
      program,
      "namespace, cluster });",
      'namespace, cluster, policy: { approvals: config.getObject("approvals") } });',
    );
    // Requests arrive until the pod's endpoint is removed.
    replace(
      program,
      "  readinessProbe:",
      '  lifecycle: { preStop: { exec: { command: ["sleep", "3"] } } },\n  readinessProbe:',
    );
  });

  /** Writes the code and the revision of a release, and rehearses the chain. */
  async function write(release: ReleaseOfNotes, after: string): Promise<void> {
    writeFileSync(join(app, "notes", "main.py"), main + endpoint(release));
    writeFileSync(join(app, "alembic", "versions", `${release.id}.py`), revisionFile(release, after));
    const python = ["--backend", app, "--python", await alembicPython()];
    const locked = await unity("lock", ...python);
    assert.equal(locked.code, 0, locked.stderr);
    // 1: the models of the example lack the new columns.
    const rehearsed = await unity("rehearse", ...python);
    assert.ok(rehearsed.code === 0 || rehearsed.code === 1, rehearsed.stderr);
    assert.match(rehearsed.stdout, /Wrote evidence/);
  }

  /** Deploys the release of the files, whose errors are approved. */
  async function deploy(image: string) {
    const { revisions } = readLock(join(app, lockFileName));
    const approvals = revisions.flatMap(({ id, findings }) =>
      findings.filter(({ level }) => level === "error").map(({ rule }) => ({ revision: id, rule })),
    );
    const { exitCode, output } = await (await stack.program.engine({ image, approvals, replicas: 2 })).run("up");
    assert.equal(exitCode, 0, output);
    return { approvals, output };
  }

  /** Leaves a pod of the running release behind, as a workload does that was not deployed again. */
  async function leavePod(): Promise<void> {
    const { items } = await kubectl.get<{ items: Pod[] }>("pods", "--selector=app.kubernetes.io/name=notes");
    const [pod] = items;
    assert.ok(pod?.spec !== undefined);
    const labels = { "pulumi-alembic/app": "notes" };
    const annotations = { [headAnnotation]: pod.metadata.annotations?.[headAnnotation] };
    const { image, env } = pod.spec.containers[0] ?? {};
    const container = { name: "left", image, env, command: ["sleep", "infinity"] };
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
    const left = { apiVersion: "v1", kind: "Pod", metadata: { name: "left", labels, annotations }, spec };
    await kubectl.run(["apply", "--filename=-"], JSON.stringify(left));
  }

  it("fails none of ten thousand requests, and waits for code that the change breaks", async () => {
    await deploy(stack.image);
    await stack.server.psql("notes", "INSERT INTO notebooks (title) VALUES ('all')");
    const ports = [{ port: 9000 }];
    const spec = { selector: { "app.kubernetes.io/name": "notes" }, ports };
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "notes" }, spec };
    await kubectl.run(["apply", "--filename=-"], JSON.stringify(service));
    const address = await kubectl.run(["get", "service", "notes", "--output=jsonpath={.spec.clusterIP}"]);
    const revision = () => stack.server.psql("notes", "SELECT version_num FROM alembic_version");

    const url = `http://${address}:9000/work`;
    // A new Service refuses connections until kube-proxy knows it.
    await waitFor("the Service", async () => (await fetch(url)).ok);
    await using load = startLoad(url, 8, 40);
    const approved = new Set<string>();
    for (const [index, release] of releases.slice(1).entries()) {
      const after = releases[index]?.id ?? "";
      await write(release, after);
      const image = await fixtureImage(app, "notes-fixture");
      const isLast = release.id === "0008";
      const deployed = deploy(image);
      if (isLast) {
        await delay(8000);
        assert.equal(await revision(), "0007");
        await kubectl.run(["delete", "pod", "left"]);
      }
      const { approvals, output } = await deployed;
      const waits = output.includes("Revision 0008 waits until no pod of a release before 0007 is left");
      assert.equal(waits, isLast, output);
      assert.equal(await revision(), release.id);
      for (const { revision: id, rule } of approvals) if (id === release.id) approved.add(`${id} ${rule}`);
      if (release.id === "0006") await leavePod();
    }
    while (load.requests() < least) await delay(1000);
    const { requests, seconds, failures } = await load.stop();
    console.log(`rolling change\t${requests} requests in ${seconds.toFixed(0)} s, ${failures.length} failed`);
    console.log(`approved\t${[...approved].join(", ")}`);
    assert.deepEqual(failures, []);
  });
});
