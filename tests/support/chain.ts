import { type Lock, lockVersion } from "../../src/lockfile/lock.ts";

/** @returns A lock of `count` revisions in a line, `r1` the base, each making the table of its name. */
export function linearLock(count: number): Lock {
  const revisions = Array.from({ length: count }, (_, index) => ({
    id: `r${index + 1}`,
    downRevisions: index === 0 ? [] : [`r${index}`],
    dependsOn: [],
    branchLabels: [],
    title: `Title ${index + 1}`,
    date: null,
    file: `alembic/versions/r${index + 1}.py`,
    sha256: String(index + 1).padStart(64, "0"),
    tables: { created: [`t${index + 1}`], altered: [], dropped: [], unclassified: [] },
    upgrade: { sql: [`CREATE TABLE t${index + 1} ()`] },
    downgrade: { sql: [`DROP TABLE t${index + 1}`] },
    reversible: true,
    reversibleReason: null,
    findings: [],
    locks: [],
  }));
  return {
    version: lockVersion,
    versionLocations: ["alembic/versions"],
    heads: [`r${count}`],
    bases: ["r1"],
    revisions,
  };
}
