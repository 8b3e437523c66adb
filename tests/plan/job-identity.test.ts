import assert from "node:assert/strict";
import {
  contentHash,
  type JobAttempt,
  jobAttempt,
  type LiveJob,
  migrationJobName,
} from "../../src/plan/job-identity.ts";
import type { LiveState } from "../../src/plan/live-state.ts";

describe("contentHash", () => {
  it("does not depend on the order of keys", () => {
    assert.equal(contentHash({ a: 1, b: { c: [1, 2], d: null } }), contentHash({ b: { d: null, c: [1, 2] }, a: 1 }));
  });

  const different: [string, unknown, unknown][] = [
    ["values", { a: 1 }, { a: 2 }],
    ["types", { a: 1 }, { a: "1" }],
    ["the order of a list", [1, 2], [2, 1]],
    ["the nesting of a key", { a: { b: 1 } }, { b: { a: 1 } }],
    ["whether a key is missing or null", {}, { a: null }],
  ];
  for (const [what, one, other] of different) {
    it(`depends on ${what}`, () => assert.notEqual(contentHash(one), contentHash(other)));
  }
});

describe("migrationJobName", () => {
  it("depends on the chain and the spec only", () => {
    const name = migrationJobName("unity-db-migrate", "chain", { image: "a" });
    assert.equal(name, migrationJobName("unity-db-migrate", "chain", { image: "a" }));
    assert.notEqual(name, migrationJobName("unity-db-migrate", "other", { image: "a" }));
    assert.notEqual(name, migrationJobName("unity-db-migrate", "chain", { image: "b" }));
    assert.match(name, /^unity-db-migrate-[0-9a-f]{10}$/);
  });
});

describe("jobAttempt", () => {
  const first = "unity-db-migrate-aaaaaaaaaa";
  const other = "unity-db-migrate-bbbbbbbbbb";
  const atHead: LiveState = { kind: "at-head", revision: "h" };
  const behind: LiveState = { kind: "behind", revisions: ["g"], pending: 1 };
  const down: LiveState = { kind: "unreachable", what: "database", cause: "down" };
  const job = (name: string, state: LiveJob["state"], created?: string): LiveJob => ({ name, state, created });

  const table: readonly [string, readonly LiveJob[], LiveState, string, JobAttempt["action"], RegExp][] = [
    ["first run", [], { kind: "not-deployed" }, first, "run", /no existing Job/],
    ["first run with an existing database", [], behind, first, "run", /no existing Job/],
    ["unchanged: complete and at head", [job(first, "complete")], atHead, first, "keep", /complete/],
    ["failed before", [job(first, "failed")], behind, `${first}-2`, "run", /aaaaaaaaaa failed/],
    ["failed twice", [job(`${first}-2`, "failed"), job(first, "failed")], behind, `${first}-3`, "run", /-2 failed/],
    [
      "failed, though another brought the database to head",
      [job(first, "failed")],
      atHead,
      `${first}-2`,
      "run",
      /failed/,
    ],
    [
      "failed, then complete",
      [job(first, "failed"), job(`${first}-2`, "complete")],
      atHead,
      `${first}-2`,
      "keep",
      /complete/,
    ],
    ["running now", [job(first, "running")], behind, first, "attach", /running/],
    ["second attempt running now", [job(`${first}-2`, "running")], behind, `${first}-2`, "attach", /running/],
    ["deleted, with pending revisions", [job(`${first}-2`, "gone")], behind, `${first}-3`, "run", /-2 was deleted/],
    ["deleted, with none pending", [job(first, "gone")], atHead, `${first}-2`, "run", /was deleted/],
    [
      "deleted, of other work",
      [job(`${first.slice(0, -10)}0123456789`, "gone")],
      behind,
      first,
      "run",
      /no existing Job/,
    ],
    ["being deleted", [job(first, "deleting")], atHead, `${first}-2`, "run", /being deleted/],
    ["complete but database behind", [job(first, "complete")], behind, `${first}-2`, "run", /restored or replaced/],
    [
      "complete but database empty",
      [job(first, "complete")],
      { kind: "never-applied" },
      `${first}-2`,
      "run",
      /restored/,
    ],
    [
      "complete but no workload",
      [job(first, "complete")],
      { kind: "not-deployed" },
      `${first}-2`,
      "run",
      /no running workload/,
    ],
    ["complete, database down", [job(first, "complete")], down, first, "keep", /complete/],
    [
      "more than nine attempts",
      [job(`${first}-9`, "failed"), job(`${first}-10`, "failed")],
      behind,
      `${first}-11`,
      "run",
      /-10 failed/,
    ],
    [
      "other work: another image or chain",
      [job(other, "complete")],
      atHead,
      first,
      "run",
      /changed since .*bbbbbbbbbb/,
    ],
    [
      "other work that failed",
      [job(other, "failed"), job(`${other}-2`, "failed")],
      behind,
      first,
      "run",
      /changed since/,
    ],
    ["A, B, then A again, A's Job deleted", [job(other, "complete")], atHead, first, "run", /changed since/],
    [
      "A, B, then A again, A's Job the newer",
      [job(first, "complete", "2026-01-03T00:00:02Z"), job(other, "complete", "2026-01-03T00:00:01Z")],
      atHead,
      first,
      "keep",
      /complete/,
    ],
    [
      "A, B that failed, then A again",
      [job(first, "complete", "2026-01-03T00:00:01Z"), job(other, "failed", "2026-01-03T00:00:02Z")],
      atHead,
      `${first}-2`,
      "run",
      /is complete, but .*bbbbbbbbbb is newer/,
    ],
    [
      "a newer Job of another kind",
      [job(first, "complete", "2026-01-03T00:00:01Z"), job("unity-db-migrate", "failed", "2026-01-03T00:00:02Z")],
      atHead,
      first,
      "keep",
      /complete/,
    ],
    [
      "names with the same prefix",
      [job(`${first}-x`, "failed"), job(`${first}0`, "failed")],
      behind,
      first,
      "run",
      /changed since/,
    ],
  ];
  for (const [what, jobs, state, name, action, reason] of table) {
    it(`${what}: ${action} ${name.replace(/^.*-a+/, "job")}`, () => {
      const decided = jobAttempt(first, jobs, state);
      assert.deepEqual([decided.name, decided.action], [name, action]);
      assert.match(decided.reason, reason);
    });
  }

  const work = (image: string, digest: string) => migrationJobName("unity-db-migrate", digest, { image });
  it("treats a changed image and a changed chain as other work", () => {
    const ran = [job(work("one", "chain"), "failed")];
    for (const changed of [work("two", "chain"), work("one", "longer chain")]) {
      assert.deepEqual(jobAttempt(changed, ran, behind).name, changed);
    }
  });

  it("names attempts within the length of a label", () => {
    assert.equal(migrationJobName("p", "d", {}, 2), `${migrationJobName("p", "d", {})}-2`);
    assert.ok(migrationJobName("p".repeat(46), "d", {}, 99_999).length <= 63);
  });

  it("gives a new Job the plan, and keeps that of an existing one", () => {
    const planOf = (jobs: readonly LiveJob[], state: LiveState) => jobAttempt(first, jobs, state, "new").plan;
    const planned = (state: LiveJob["state"]): LiveJob => ({ ...job(first, state), plan: "earlier" });
    assert.equal(planOf([], behind), "new");
    assert.equal(planOf([planned("failed")], behind), "new");
    assert.equal(planOf([planned("complete")], behind), "new");
    assert.equal(planOf([planned("running")], behind), "earlier");
    assert.equal(planOf([planned("complete")], atHead), "earlier");
    assert.equal(planOf([job(first, "complete")], atHead), undefined);
  });
});
