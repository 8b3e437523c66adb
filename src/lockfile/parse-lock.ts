import { chainBases, chainErrors, chainHeads } from "./chain.ts";
import { findingLevels, type Lock, lockCommand, lockVersion } from "./lock.ts";
import {
  anyText,
  index,
  isRecord,
  list,
  literal,
  nullable,
  object,
  oneOf,
  type Shape,
  shapeErrors,
  text,
} from "./shape.ts";
import { blockedBy, lockModes } from "./statement-lock.ts";

const restore = `Restore the file from version control, or remove it and run: ${lockCommand}`;

/** An invalid lockfile. */
export class LockError extends Error {
  override readonly name = "LockError";
  readonly errors: readonly string[];

  constructor(path: string, errors: readonly string[], fix: string = restore) {
    super(`invalid lockfile ${path}:\n${errors.map((error) => `  - ${error}`).join("\n")}\n${fix}`);
    this.errors = errors;
  }
}

/**
 * Parses a lockfile.
 *
 * @param path - Name of the file, for messages.
 * @throws {LockError} With every error, each with the path of the property.
 */
export function parseLock(text: string, path: string): Lock {
  const value = parseJson(text, path);
  if (isRecord(value) && value.version === 1) {
    const error = "lock.version 1 was written by an earlier release: findings and locks are missing";
    throw new LockError(path, [error], `To add them and keep the reviewed revisions, run: ${lockCommand}`);
  }
  return checkLock(value, path);
}

/**
 * Parses a lockfile for the command that writes it: accepts version 1 as well, which had no findings and locks.
 *
 * @throws {LockError} As {@link parseLock} does.
 */
export function parseReviewedLock(text: string, path: string): Lock {
  const value = parseJson(text, path);
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.revisions)) return checkLock(value, path);
  const revisions = value.revisions.map((revision) => ({ ...revision, findings: [], locks: [] }));
  return checkLock({ ...value, version: lockVersion, revisions }, path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LockError(path, [`not JSON: ${error instanceof Error ? error.message : error}`]);
  }
}

function checkLock(value: unknown, path: string): Lock {
  const errors = shapeErrors(value, lockShape, "lock");
  // The chain can be checked only if the shape is valid.
  if (errors.length === 0) errors.push(...contentErrors(value as Lock));
  if (errors.length > 0) throw new LockError(path, errors);
  return value as Lock;
}

const sha256: Shape = {
  expected: "64 hexadecimal digits",
  matches: (v) => typeof v === "string" && /^[0-9a-f]{64}$/.test(v),
};

const sql: Shape = {
  expected: '{"sql": [statements]} or {"sql": null, "reason": string}',
  matches: (v) =>
    isRecord(v) &&
    (v.sql === null ? text.matches(v.reason) : Array.isArray(v.sql) && v.sql.every((one) => anyText.matches(one))),
};

/** A mode determines what it blocks; an unknown one has a reason. */
const statementLock: Shape = {
  expected: '{"statement", "table", "mode", "blocks"}, or with nulls and a "reason"',
  matches: (v) =>
    isRecord(v) &&
    index.matches(v.statement) &&
    (v.mode === null
      ? text.matches(v.reason)
      : text.matches(v.table) && lockModes.some((mode) => mode === v.mode && blockedBy(mode) === v.blocks)),
};

const lockShape = object({
  version: literal(lockVersion),
  versionLocations: list(text),
  heads: list(text),
  bases: list(text),
  revisions: list(
    object({
      id: text,
      downRevisions: list(text),
      dependsOn: list(text),
      branchLabels: list(text),
      title: anyText,
      date: nullable(anyText),
      file: text,
      sha256,
      tables: nullable(
        object({ created: list(text), altered: list(text), dropped: list(text), unclassified: list(index) }),
      ),
      upgrade: sql,
      downgrade: sql,
      reversible: { expected: "true, false, or null", matches: (v) => v === null || typeof v === "boolean" },
      reversibleReason: nullable(anyText),
      findings: list(
        object({
          rule: text,
          level: oneOf(findingLevels),
          statement: nullable(index),
          message: text,
          help: nullable(text),
        }),
      ),
      locks: list(statementLock),
    }),
  ),
});

function contentErrors(lock: Lock): string[] {
  const errors = chainErrors(lock.revisions);
  if (errors.length > 0) return errors;
  const known = new Set<string>();
  for (const revision of lock.revisions) {
    const later = [...revision.downRevisions, ...revision.dependsOn].filter((id) => !known.has(id));
    if (later.length > 0) errors.push(`revision ${revision.id} precedes ${later.join(", ")}, which it depends on`);
    known.add(revision.id);
  }
  const ends = [
    { key: "heads", given: lock.heads, actual: chainHeads(lock.revisions) },
    { key: "bases", given: lock.bases, actual: chainBases(lock.revisions) },
  ];
  for (const { key, given, actual } of ends) {
    if (given.join() !== actual.join()) {
      errors.push(`invalid lock.${key} ${JSON.stringify(given)}: must be ${JSON.stringify(actual)}`);
    }
  }
  return errors;
}
