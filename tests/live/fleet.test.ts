import assert from "node:assert/strict";
import { join } from "node:path";
import { waitFor } from "../../local/cluster/progress.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { nameLabel } from "../../src/manifests/names.ts";
import { tenantLabel } from "../../src/manifests/tenant.ts";
import { projectRoot } from "../../src/paths.ts";
import { type Example, example } from "../support/example.ts";
import { fixtureImage } from "../support/images.ts";
import { testNamespace } from "../support/leftovers.ts";
import { type Server, startServer } from "../support/server.ts";

const { UNITY_CONTEXT: context = "", UNITY_POSTGRES_IMAGE } = process.env;
const namespace = testNamespace("fleet");
const kubectl = new Kubectl({ context, namespace });

const parallelism = 4;
const tenants = Array.from({ length: 20 }, (_, index) => `tenant-${String(index + 1).padStart(2, "0")}`);
const [canary = "", , , , , , bad = ""] = tenants;

/** The part of a tenant's Job that is read here. */
interface Job {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels: Record<string, string> };
  readonly spec: { readonly suspend?: boolean };
  readonly status: {
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime: string;
    }[];
  };
}

const jobs = async () =>
  (await kubectl.get<{ items: Job[] }>("jobs", `--selector=${nameLabel}=notes-db-migrate`)).items;
const tenantOf = ({ metadata }: Job) => metadata.labels[tenantLabel] ?? "";
/** Returns when a Job started and ended, by the API's timestamps. */
function span(job: Job): { readonly from: number; readonly to: number } {
  const ended = job.status.conditions?.find(({ type }) => type === "Failed")?.lastTransitionTime;
  return {
    from: Date.parse(job.status.startTime ?? ""),
    to: Date.parse(job.status.completionTime ?? ended ?? ""),
  };
}

describe("a fleet of 20 databases, one of which can't be migrated", () => {
  let program: Example;
  let server: Server;
  const revisionOf = async (tenant: string) =>
    server.psql(tenant, "SELECT version_num FROM alembic_version").catch(() => "none");
  const up = async (values: Record<string, unknown> = {}, flags: string[] = []) =>
    (await program.engine(values)).run("up", flags);

  before(async () => {
    await kubectl.run(["create", "namespace", namespace]);
    [program, server] = await Promise.all([
      example("tenants"),
      startServer(kubectl, UNITY_POSTGRES_IMAGE || "postgres:17"),
    ]);
    const image = await fixtureImage(join(projectRoot, "examples", "notes", "app"), "notes-fixture");
    await server.psql("postgres", tenants.map((name) => `CREATE DATABASE "${name}";`).join("\n"));
    await program.engine({ context, namespace, image, tenants, canaries: 1, parallelism }, { serverUrl: server.url });
  });
  after(async () => {
    await (await program?.engine())?.run("destroy");
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
    program?.remove();
  });

  it("starts no other Job when the canary fails, and names the cause", async () => {
    await server.psql(canary, "CREATE TABLE notebooks (id int)");
    const { exitCode, output } = await up();
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /1 of 20 tenants failed: tenant-01\. A canary failed, so 19 tenants were not started/);
    assert.match(output, /Tenant tenant-01 \(canary\): Job notes-db-migrate-tenant-01-[0-9a-f]{10} failed/);
    assert.match(output, /0001[\s\S]*42P07/);
    const all = await jobs();
    assert.equal(all.length, 20);
    assert.deepEqual(all.filter(({ spec }) => spec.suspend !== true).map(tenantOf), [canary]);
    assert.deepEqual(await Promise.all(tenants.slice(1).map(revisionOf)), Array(19).fill("none"));
  });

  it("migrates all others when one fails, and fails with its name and cause", async () => {
    await server.psql(canary, "DROP TABLE notebooks");
    await server.psql(bad, "CREATE TABLE notes (id int)");
    const { exitCode, output } = await up();
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /1 of 20 tenants failed: tenant-07\. The others are migrated\./);
    assert.match(output, /Tenant tenant-07: Job notes-db-migrate-tenant-07-[0-9a-f]{10} failed/);
    assert.match(output, /0002[\s\S]*42P07/);
    assert.ok(!output.includes(new URL(server.url).password), "the password is in the output");
    const revisions = await Promise.all(tenants.map(revisionOf));
    assert.deepEqual(
      revisions,
      tenants.map((tenant) => (tenant === bad ? "0001" : "0003")),
    );
  });

  it("never exceeds its parallelism, and waits for the canary first", async () => {
    const spans = (await jobs()).filter(({ spec, status }) => spec.suspend !== true && status.startTime).map(span);
    assert.equal(spans.length, 21); // the canary's first attempt among them
    for (const { from } of spans) {
      const together = spans.filter((other) => other.from <= from && from < other.to).length;
      assert.ok(together <= parallelism, `${together} ran in parallel`);
    }
    const most = Math.max(...spans.map(({ from }) => spans.filter((one) => one.from <= from && from < one.to).length));
    assert.ok(most > 1, "they ran one after the other");
    const first = (await jobs()).filter((job) => tenantOf(job) === canary && job.status.completionTime).map(span);
    const others = (await jobs()).filter((job) => tenantOf(job) !== canary).map(span);
    assert.ok(others.every(({ from }) => from >= (first[0]?.to ?? Number.NaN)));
  });

  it("migrates the failed one alone once it is fixed, then expects no changes", async () => {
    const before = new Set((await jobs()).map(({ metadata }) => metadata.name));
    await server.psql(bad, "DROP TABLE notes");
    const { exitCode, output } = await up();
    assert.equal(exitCode, 0, output);
    const made = (await jobs()).filter(({ metadata }) => !before.has(metadata.name));
    assert.deepEqual(made.map(tenantOf), [bad]);
    assert.match(made[0]?.metadata.name ?? "", /-2$/);
    assert.equal(await revisionOf(bad), "0003");
    assert.equal((await jobs()).length, 20);
    const again = await up({}, ["--expect-no-changes"]);
    assert.equal(again.exitCode, 0, again.output);
    const refreshed = await up({}, ["--expect-no-changes", "--refresh"]);
    assert.equal(refreshed.exitCode, 0, refreshed.output);
  });

  it("resumes after SIGKILL: waits for the running Job, and creates none again", async () => {
    const late = ["late-01", "late-02"];
    await server.psql("postgres", late.map((name) => `CREATE DATABASE "${name}";`).join("\n"));
    // A session that holds the runner's lock keeps the first one waiting.
    const key = "('x' || encode('alembic!', 'hex'))::bit(64)::bigint";
    const release = await server.hold("late-01", `SELECT pg_advisory_lock(${key})`);
    const stop = new AbortController();
    const values = { tenants: [...tenants, ...late], parallelism: 1 };
    const killed = (await program.engine(values)).run("up", [], false, stop.signal);
    const stateOf = async (tenant: string) => (await jobs()).find((job) => tenantOf(job) === tenant);
    const hasStarted = async () => (await stateOf("late-01"))?.status.startTime !== undefined;
    await waitFor("the start of the first Job", hasStarted, { timeoutSeconds: 120 });
    stop.abort("SIGKILL");
    await killed;
    await (await program.engine(values)).unlock();
    const before = await Promise.all(late.map(stateOf));
    assert.deepEqual(
      before.map((job) => job?.spec.suspend),
      [false, true],
    );
    const next = up();
    await release();
    const { exitCode, output } = await next;
    assert.equal(exitCode, 0, output);
    const uids = (some: readonly (Job | undefined)[]) => some.map((job) => job?.metadata.uid);
    assert.deepEqual(uids(await Promise.all(late.map(stateOf))), uids(before));
    assert.deepEqual(await Promise.all(late.map(revisionOf)), ["0003", "0003"]);
  });
});
