import assert from "node:assert/strict";
import type { PackedChange } from "../../src/lockfile/evidence.ts";
import { breaksRunningRelease } from "../../src/lockfile/lock.ts";
import { describeWaiting, waitingRevision } from "../../src/plan/older-releases.ts";
import { lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const column = (name: string) => ["tables", "public.users", "columns", name] as const;
const finding = { rule: breaksRunningRelease, level: "error", statement: null, message: "m", help: null } as const;
const rehearsed = (...changes: readonly PackedChange[]) => ({ locks: [], changes, downgrade: "complete" }) as const;

/** Rename of a column, expanded and contracted; `temporary` comes and goes between them. */
const lock = lockOf([
  lockedRevision("base", {
    rehearsed: rehearsed(["+", "tables", "public.users", { kind: "table" }], ["+", ...column("bio"), { type: "text" }]),
  }),
  lockedRevision("expand", {
    downRevisions: ["base"],
    rehearsed: rehearsed(["+", ...column("about"), { type: "text" }], ["+", ...column("temporary"), { type: "text" }]),
  }),
  lockedRevision("clean", {
    downRevisions: ["expand"],
    rehearsed: rehearsed(["-", ...column("temporary")]),
    rollbackBlocker: "drops temporary",
    findings: [finding],
  }),
  lockedRevision("contract", {
    downRevisions: ["clean"],
    rehearsed: rehearsed(["-", ...column("bio")]),
    rollbackBlocker: "drops bio",
    findings: [finding],
  }),
]);
const pod = (head: string) => ({ name: `web-${head}`, head });
const waiting = (...heads: readonly string[]) => waitingRevision(lock, lock.revisions.slice(2), heads.map(pod));

describe("a revision that breaks older code", () => {
  it("waits for pods of releases before the one that its approval speaks for", () => {
    assert.deepEqual(waiting("base", "expand", "clean"), {
      revision: "contract",
      after: ["clean"],
      blocker: "drops bio",
      pods: [pod("base"), pod("expand")],
    });
  });

  it("waits for neither the release before, later ones, nor those of another chain", () => {
    assert.equal(waiting("clean", "contract", "unknown"), null);
    assert.equal(waiting(), null);
  });

  it("doesn't wait for code that never had what the revision drops", () => {
    assert.equal(waitingRevision(lock, lock.revisions.slice(2, 3), [pod("base")]), null);
  });

  it("waits where the schema of the older code is not known", () => {
    const unknown = lockOf(lock.revisions.map(({ rehearsed: _, ...revision }) => revision));
    assert.equal(waitingRevision(unknown, unknown.revisions.slice(3), [pod("base")])?.revision, "contract");
  });

  it("doesn't wait if no rehearsal has found that it breaks code", () => {
    const revisions = lock.revisions.slice(3).map((revision) => ({ ...revision, findings: [] }));
    assert.equal(waitingRevision(lock, revisions, [pod("base")]), null);
  });

  it("says what it waits for", () => {
    const found = waiting("base");
    assert.ok(found !== null);
    assert.equal(
      describeWaiting(found),
      "Revision contract waits until no pod of a release before clean is left, because it drops bio: web-base (base)",
    );
  });
});
