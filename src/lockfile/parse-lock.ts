import { dirname } from "node:path";
import { chainCommand } from "../command-line.ts";
import { printable } from "../printable.ts";
import { chainBases, chainErrors, chainHeads } from "./chain.ts";
import { singleLine } from "./describe.ts";
import { isPackedChange, isPackedLock } from "./evidence.ts";
import { findingLevels, type Lock, lockVersion, plainAlembic } from "./lock.ts";
import {
  anyLine,
  anyText,
  index,
  isRecord,
  line,
  list,
  literal,
  nullable,
  object,
  oneOf,
  optional,
  type Shape,
  shapeErrors,
  shown,
  text,
  valueError,
} from "./shape.ts";
import { blockedBy, lockModes } from "./statement-lock.ts";
import { defaultVersionTable } from "./version-table.ts";

/** An invalid lockfile. */
export class LockError extends Error {
  override readonly name = "LockError";
  readonly errors: readonly string[];

  constructor(path: string, errors: readonly string[], fix?: string) {
    const restore = `Restore the file from version control, or remove it and run: ${chainCommand("lock", dirname(path))}`;
    super(`invalid lockfile ${path}:\n${errors.map((error) => `  - ${error}`).join("\n")}\n${fix ?? restore}`);
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
  if (isRecord(value) && isEarlier(value.version)) {
    const errors = [`lock.version ${value.version} was written by an earlier release: ${missing[value.version]}`];
    throw new LockError(
      path,
      errors,
      `To update it and keep the reviewed revisions, run: ${chainCommand("lock", dirname(path))}`,
    );
  }
  return checkLock(value, path);
}

/** Reasons for which the versions of earlier releases are rejected. */
const missing = {
  1: "findings and locks are missing",
  2: "a revision that asks whether it is rendered has the SQL of its offline branch",
  3: "the version table, the files that revisions read, and how Alembic is called are missing",
} as const;

function isEarlier(version: unknown): version is keyof typeof missing {
  return typeof version === "number" && version in missing;
}

/**
 * Parses a lockfile for the command that writes it: accepts those of earlier releases as well.
 *
 * @throws {LockError} As {@link parseLock} does.
 */
export function parseReviewedLock(text: string, path: string): Lock {
  const value = parseJson(text, path);
  if (!isRecord(value) || !Array.isArray(value.revisions)) return checkLock(value, path);
  if (!isEarlier(value.version)) return checkLock(value, path);
  const indexes = { built: [], repaired: [] };
  const added = { findings: [], locks: [], indexes, files: {}, rollbackBlocker: null };
  const revisions = value.revisions.map((revision) => ({ ...added, ...revision, ...printableTexts(revision) }));
  const unknown = { alembic: plainAlembic, versionTable: defaultVersionTable, files: {}, env: { sql: [] } };
  return checkLock({ ...unknown, ...value, version: lockVersion, revisions }, path);
}

/** Returns the texts of a revision as they are recorded since version 3, so that they don't count as changed. */
function printableTexts(revision: unknown): Record<string, unknown> {
  const texts: Record<string, unknown> = {};
  if (!isRecord(revision)) return texts;
  for (const key of ["title", "date", "reversibleReason"]) {
    const text = revision[key];
    if (typeof text === "string") texts[key] = printable(singleLine(text));
  }
  for (const key of ["upgrade", "downgrade"]) {
    const direction = revision[key];
    if (!isRecord(direction) || typeof direction.reason !== "string") continue;
    texts[key] = { ...direction, reason: printable(singleLine(direction.reason)) };
  }
  return texts;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/^<{7}(\s|$)/m.test(text))
      throw new LockError(
        path,
        ["conflict markers of git: two branches have changed the chain"],
        `If both add revisions, run: ${chainCommand("revision", dirname(path))} --rebase --base <branch>. Otherwise, restore one side and run: ${chainCommand("lock", dirname(path))}`,
      );
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

const files: Shape = {
  expected: "an object of paths with 64 hexadecimal digits each",
  matches: (v) => isRecord(v) && Object.entries(v).every((each) => line.matches(each[0]) && sha256.matches(each[1])),
};

const sql: Shape = {
  expected: '{"sql": [statements]} or {"sql": null, "reason": string}',
  matches: (v) =>
    isRecord(v) &&
    (v.sql === null ? text.matches(v.reason) && shown.matches(v.reason) : isTexts(v.sql)) &&
    (v.rehearsed === undefined || isTexts(v.rehearsed)),
};

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => anyText.matches(one));
}

const changes = list({ expected: '["+", kind, name, ...path, value], "-", or "~"', matches: isPackedChange });

/** Evidence on a revision. */
const effects = object({
  locks: list({ expected: "[statement, table, mode]", matches: isPackedLock }),
  changes,
  downgrade: oneOf(["complete", "incomplete", "failed"]),
  leaves: optional(changes),
  error: optional(shown),
  variable: optional(line),
  nondeterministic: optional({ expected: "true", matches: (v) => v === true }),
});

/** A mode determines what it blocks; an unknown one has a reason. */
const statementLock: Shape = {
  expected: '{"statement", "table", "mode", "blocks"}, or with nulls and a "reason"',
  matches: (v) =>
    isRecord(v) &&
    index.matches(v.statement) &&
    (v.mode === null
      ? text.matches(v.reason) && shown.matches(v.reason)
      : text.matches(v.table) && lockModes.some((mode) => mode === v.mode && blockedBy(mode) === v.blocks)),
};

const lockShape = object({
  version: literal(lockVersion),
  alembic: object({ config: list(line), x: list(line), flaskApp: nullable(line) }),
  versionLocations: list(line),
  versionTable: object({ schema: nullable(line), name: line }),
  heads: list(line),
  bases: list(line),
  files,
  env: sql,
  rehearsal: optional(object({ chain: sha256, postgres: line, env: list(line), models: nullable(list(anyLine)) })),
  revisions: list(
    object({
      id: line,
      downRevisions: list(line),
      dependsOn: list(line),
      branchLabels: list(line),
      title: anyLine,
      date: nullable(anyLine),
      file: line,
      sha256,
      files,
      tables: nullable(
        object({ created: list(text), altered: list(text), dropped: list(text), unclassified: list(index) }),
      ),
      upgrade: sql,
      downgrade: sql,
      reversible: { expected: "true, false, or null", matches: (v) => v === null || typeof v === "boolean" },
      reversibleReason: nullable(shown),
      findings: list(
        object({
          rule: line,
          level: oneOf(findingLevels),
          statement: nullable(index),
          message: shown,
          help: nullable(shown),
        }),
      ),
      locks: list(statementLock),
      indexes: object({ built: list(text), repaired: list(text) }),
      rollbackBlocker: nullable(shown),
      rehearsed: optional(effects),
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
      errors.push(valueError(`lock.${key}`, given, JSON.stringify(actual)));
    }
  }
  return errors;
}
