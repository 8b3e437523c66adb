import type { DatabaseFacts } from "../../src/checks/database-facts.ts";
import { checkNames } from "../../src/checks/names.ts";
import type { ImageFacts, PrivilegeFacts } from "../../src/checks/pod-facts.ts";
import { type CheckTarget, type Expected, expectedOf } from "../../src/checks/result.ts";
import { allReviewedFiles } from "../../src/lockfile/lock.ts";
import { lockFile } from "../../src/paths.ts";
import { lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const creating = (table: string) => ({ created: [table], altered: [], dropped: [], unclassified: [] });

/** Returns a target of all built-in checks of the Deployment `app`, with some fields replaced. */
export function checkTarget(changes: Partial<CheckTarget> = {}): CheckTarget {
  return {
    context: "c",
    namespace: "n",
    head: "r2",
    toleratedRevisions: [],
    owned: true,
    lockFile,
    workloads: ["app"],
    checks: checkNames,
    ...changes,
  };
}

/** A release of two revisions, `r1` and `r2`, that create the tables `t1` and `t2`. */
export const expected: Expected = expectedOf(
  checkTarget({ toleratedRevisions: ["later"] }),
  lockOf([
    lockedRevision("r1", { tables: creating("t1") }),
    lockedRevision("r2", { downRevisions: ["r1"], tables: creating("t2") }),
  ]),
);

const table = { columns: {}, foreignKeys: [], indexes: {} };

/** Returns a database at that release, with some fields replaced. */
export function database(changes: Partial<DatabaseFacts> = {}): DatabaseFacts {
  return { revisions: ["r2"], tables: { t1: table, t2: table }, invalidIndexes: [], notValid: [], ...changes };
}

/** Returns an image of that release, with some fields replaced. */
export function image(changes: Partial<ImageFacts> = {}): ImageFacts {
  return {
    files: allReviewedFiles(expected.chain),
    extra: [],
    address: { set: true, url: true, host: true, port: true, database: true },
    ini: null,
    env: null,
    ...changes,
  };
}

/** Returns an application role with its privileges, with some fields replaced. */
export function privileges(changes: Partial<PrivilegeFacts> = {}): PrivilegeFacts {
  return { role: "app", lacking: {}, excess: [], ...changes };
}
