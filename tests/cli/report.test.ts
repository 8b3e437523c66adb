import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { offlineParts } from "../../src/cli/report/collect.ts";
import { renderReport } from "../../src/cli/report/page.ts";
import type { Report } from "../../src/cli/report/report.ts";
import { lockedRevision, lockOf } from "../fixtures/chains/locks.ts";
import { behindParts, faultyLock, hostile, password, projectLock, reportOf } from "../fixtures/report.ts";
import type { FakeAnswers } from "../support/fake-kubectl.ts";
import { type CommandResult, unityWith } from "./unity.ts";

const count = (text: string, part: string) => text.split(part).length - 1;
/** Returns the text of a section without tags. */
const textOf = (page: string, id: string) => {
  const [, section = ""] = page.split(`<section id="${id}"`);
  return (section.split("</section>")[0] ?? "")
    .replaceAll("<wbr>", "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll(/\s+/g, " ");
};

describe("report page", () => {
  let page: string;
  before(async () => {
    page = renderReport(await reportOf(faultyLock, behindParts()));
  });

  it("shows the database's state, and the pending revisions with their findings", () => {
    assert.match(page, /Database is at a1b2c3d4e5f6, behind head ninth\./);
    const plan = textOf(page, "plan");
    assert.match(plan, /1 finding requires approval; no changes were made:/);
    assert.match(plan, /Pending: 2 of 9 revisions, in this order\./);
    assert.match(plan, /Plan hash: v4-[0-9a-f]{16}/);
    assert.match(plan, /8\/9 Plugin Execution .* blocks writes of plugins \(SHARE ROW EXCLUSIVE\) .* no findings/);
    assert.match(plan, /error missing-downgrade ✓ approved a restore point is enough : It has no downgrade\./);
    assert.match(plan, /error ban-drop-column : Dropping a column .* \(statement 1\)/);
    assert.match(
      plan,
      /ALTER TABLE plugins DROP COLUMN version; blocks reads and writes of plugins \(ACCESS EXCLUSIVE\)/,
    );
  });

  it("shows every check, failures first", () => {
    const checks = textOf(page, "checks");
    assert.match(checks, /13 passed, 2 failed .* Time revision ✕ failed .* logs ✕ failed .* pods ✓ passed/);
    assert.equal(count(checks, "kubectl --context kubernetes-admin@homelab -n unity"), 13);
  });

  it("shows the runs, newest first, with times in UTC", () => {
    const runs = textOf(page, "runs");
    assert.match(
      runs,
      /3 … running 2026-01-05 09:30:00 UTC not finished .* 2 ✕ failed .* 2026-01-05 08:30:00 UTC 5\.0s/,
    );
    assert.match(runs, /1 ✓ succeeded 2026-01-04 08:00:00 UTC 2\.5s upgrade: no revision → a1b2c3d4e5f6/);
  });

  it("marks revisions in the chain, and shows each revision's SQL once", () => {
    const chain = textOf(page, "chain");
    assert.match(chain, /Marketplace &amp; Dashboards a1b2c3d4e5f6 ● applied ▸ current/);
    assert.match(chain, /Plugin Execution add_plugin_execution ○ pending 2026-01-03/);
    assert.match(chain, /ninth ○ pending ◆ latest/);
    for (const sql of ["CREATE TABLE servers (", "CREATE TABLE plugin_metrics ("]) assert.equal(count(page, sql), 1);
  });

  it("shows each table's columns, types, keys, and referrers", () => {
    const schema = textOf(page, "schema");
    assert.match(schema, /17 tables at ninth/);
    assert.match(schema, /plugin_id text references plugins on delete cascade/);
    assert.match(schema, /referenced by metrics , services , alert_rules , alerts 2 indexes/);
    assert.equal(count(page, '<article class="table"'), 17);
  });

  it("escapes values, and refers to nothing outside the page", () => {
    assert.ok(!page.includes(hostile) && page.includes("&lt;script&gt;document.title=&quot;1&quot;"));
    const found = (pattern: RegExp) => [...page.matchAll(pattern)].map(([match]) => match);
    assert.deepEqual(found(/<script|<img (?!src="data:)|<link (?!rel="icon" href="data:)|<[^<>]* on[a-z]+=/g), []);
    assert.deepEqual(found(/(?:href|src)="(?!#|data:)[^"]*|url\((?!#)[^)]*|@import/g), []);
    assert.match(page, /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/);
  });

  it("has only valid links, and unique IDs", () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    const targets = [...page.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id);
    assert.deepEqual(
      targets.filter((target) => !ids.includes(target)),
      [],
    );
    assert.ok(targets.length > 80, `${targets.length}`);
  });

  it("redacts passwords in messages", async () => {
    assert.ok(!page.includes(password) && page.includes("postgresql://homelab_user:[secret]@postgres"));
    const cause = `could not connect to postgresql://homelab_user:${password}@db:5432/homelab_db`;
    const report = await reportOf(faultyLock, behindParts(faultyLock, { runs: { missing: cause } }));
    assert.ok(!JSON.stringify(report).includes(password));
    assert.match(
      textOf(renderReport(report), "runs"),
      /could not connect to postgresql:\/\/homelab_user:\[secret\]@db/,
    );
  });

  it("shows why a part is missing, and the other parts", async () => {
    const missing = behindParts(faultyLock, {
      plan: { missing: "no image\n  - of this stack" },
      checks: { missing: "too slow" },
    });
    const text = renderReport(await reportOf(faultyLock, missing));
    assert.match(textOf(text, "plan"), /Unknown no image - of this stack/);
    assert.match(textOf(text, "checks"), /Unknown too slow/);
    assert.match(textOf(text, "chain"), /ninth ○ pending/);
    assert.equal(count(text, "CREATE TABLE plugin_metrics ("), 1, "the chain has the SQL of the missing plan");
  });

  it("shows branches, and revisions without SQL", async () => {
    const unknown = { tables: null, upgrade: { sql: null, reason: "b.py:12 queries the database" }, reversible: null };
    const lock = lockOf([
      lockedRevision("a"),
      lockedRevision("b", { downRevisions: ["a"], ...unknown, reversibleReason: "known only to a database" }),
      lockedRevision("c", { downRevisions: ["a"] }),
      lockedRevision("d", { downRevisions: ["b", "c"], dependsOn: ["a"] }),
    ]);
    const text = renderReport(await reportOf(lock, offlineParts));
    assert.match(textOf(text, "chain"), /after b and c · depends on a · creates t_d/);
    assert.match(
      textOf(text, "chain"),
      /tables unknown · not rehearsed ! reversibility unknown known only to a database/,
    );
    assert.match(textOf(text, "chain"), /Not known: b\.py:12 queries the database/);
  });

  it("shows 1,000 revisions with their SQL, and each table", async () => {
    const revisions = Array.from({ length: 1000 }, (_, index) =>
      lockedRevision(`r${String(index).padStart(4, "0")}`, {
        downRevisions: index === 0 ? [] : [`r${String(index - 1).padStart(4, "0")}`],
        upgrade: { sql: [`CREATE TABLE t_r${String(index).padStart(4, "0")} (id BIGINT PRIMARY KEY);`] },
      }),
    );
    const text = renderReport(await reportOf(lockOf(revisions), offlineParts));
    assert.equal(count(text, '<li id="revision-'), 1000);
    assert.equal(count(text, "(id BIGINT PRIMARY KEY);"), 1000);
    assert.equal(count(text, '<article class="table"'), 1000);
    assert.match(text, /1000 tables are too many for a diagram/);
  });
});

describe("pulumi-alembic report", () => {
  let folder: string;
  let output: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-report-"));
    output = join(folder, "report.html");
  });
  after(() => rmSync(folder, { recursive: true }));

  const stack = `config:
  unity:context: here
  unity:databasePassword: ${password}
`;

  async function run(
    answers: Partial<FakeAnswers>,
    settings: string,
    ...args: readonly string[]
  ): Promise<CommandResult> {
    const file = join(folder, "stack.yaml");
    writeFileSync(file, stack + settings);
    rmSync(output, { force: true });
    return unityWith(answers, "report", "--config-file", file, "--output", output, ...args);
  }

  it("writes the release without a cluster with --offline", async () => {
    const silent = { list: "silence", backend: "silence", postgres: "silence" } as const;
    const { code, stdout, stderr } = await run(silent, "", "--offline");
    assert.deepEqual([code, stdout, stderr], [0, `Created ${output}\n`, ""]);
    const page = readFileSync(output, "utf8");
    assert.equal(count(page, '<li id="revision-'), projectLock.revisions.length);
    assert.equal(count(page, '<article class="table"'), 17);
    for (const id of ["plan", "checks", "runs"])
      assert.match(textOf(page, id), /Unknown the report was created with --offline/);
  });

  it("prints JSON with --json, and writes no file", async () => {
    const { code, stdout } = await run({}, "", "--offline", "--json");
    const { heads, revisions, tables, live, target } = JSON.parse(stdout) as Report;
    assert.equal(code, 0);
    assert.deepEqual([heads, revisions.length, tables.length, target], [projectLock.heads, 8, 17, null]);
    assert.ok("missing" in live);
    const { columns, primaryKey, foreignKeys } = tables.find(({ name }) => name === "plugin_metrics") ?? {};
    assert.deepEqual([columns?.value, primaryKey, foreignKeys?.[0]?.references], ["jsonb", ["id"], "plugins"]);
    assert.throws(() => readFileSync(output), /ENOENT/);
  });

  it("writes the plan before a deployment, reports what is missing, and exits with 1", async () => {
    const { code, stdout } = await run({}, "", "--image", "registry.example/unity-backend:1.0");
    assert.equal(code, 1, stdout);
    assert.match(
      stdout,
      /^Created .*\nNo running workload in namespace unity; database revision unknown\.\nMissing checks: No running/,
    );
    const page = readFileSync(output, "utf8");
    assert.match(
      textOf(page, "plan"),
      /Pending: at most 8 of 8 revisions, in this order\. Job unity-db-migrate-[0-9a-f]{10} will be created/,
    );
    assert.match(textOf(page, "runs"), /Unknown No running workload in namespace unity/);
    assert.ok(!page.includes(password));
  });

  it("exits with 2 on invalid settings or an unreachable cluster, and writes the rest", async () => {
    const faulty = await run({}, "");
    assert.equal(faulty.code, 2, faulty.stdout);
    assert.match(faulty.stdout, /Missing plan: invalid stack configuration:\n {2}- unity:image is not set/);
    assert.doesNotMatch(faulty.stdout, /databasePassword/, "a plan needs no password");
    assert.match(textOf(readFileSync(output, "utf8"), "plan"), /unity:image is not set/);
    const rejected = await run({ list: { error: `refused by https://me:${password}@api` } }, "", "--image", "a/b:1");
    assert.equal(rejected.code, 2, rejected.stdout);
    assert.match(
      rejected.stdout,
      /Can't connect to the cluster \(context here\): refused by https:\/\/me:\[secret\]@api/,
    );
    assert.match(
      textOf(readFileSync(output, "utf8"), "checks"),
      /Unknown Can't connect to the cluster \(context here\)/,
    );
  });

  it("reports wrong usage, and writes nothing", async () => {
    const table: readonly [string, readonly string[], RegExp][] = [
      ["  unity:targetRevision: nowhere\n", [], /unknown target revision nowhere: the lockfile contains 6a00ea433c25/],
      ["", ["--output", join(folder, "no", "report.html"), "--offline"], /can't write .*report\.html: ENOENT/],
      ["", ["--config-file", join(folder, "none.yaml")], /none\.yaml not found\nPass --stack/],
      ["", ["--format", "pdf"], /unknown option '--format'/],
    ];
    for (const [settings, args, message] of table) {
      const { code, stderr } = await run({}, settings, ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.throws(() => readFileSync(output), /ENOENT/);
    }
  });
});
