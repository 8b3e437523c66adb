import { digestOf } from "../manifests/image-reference.ts";
import type { Settings } from "./settings.ts";

/** A setting that production refuses: its key, its value, what it must be and why, and what to set. */
export type SettingError = readonly [key: string, given: unknown, allowed: string, example: string];

/** What production asks of a stack's settings. */
interface Rule {
  readonly key: string;
  /** The value that people are told. */
  given(settings: Settings): string | undefined;
  holds(settings: Settings): boolean;
  readonly allowed: string;
  /** What comes after `pulumi config set`. */
  readonly mend: string;
}

/** An image that has to be named by its digest; one that the stack doesn't use is no fault. */
function byDigest(key: string, repository: string, imageOf: (settings: Settings) => string | undefined): Rule {
  return {
    key,
    given: imageOf,
    holds: (settings) => !imageOf(settings) || digestOf(imageOf(settings) ?? "") !== undefined,
    allowed: "named by its digest in production: a tag may be moved to what was never tried",
    mend: `${key} ${repository}@sha256:<digest>`,
  };
}

const backendImage = "<registry>/unity-backend";

/** Every rule; those that need the database or another stack are the plan's and the promotion's. */
const rules: readonly Rule[] = [
  byDigest("image", backendImage, ({ image }) => image),
  byDigest("migrationImage", backendImage, ({ migrationImage }) => migrationImage),
  byDigest("postgresImage", "postgres", ({ restorePoint }) => restorePoint?.image),
  {
    key: "initContainer",
    given: ({ initContainer }) => initContainer,
    holds: ({ initContainer }) => initContainer === "wait",
    allowed: "wait in production: only the migrate Job changes the database, never a pod that happens to start",
    mend: "initContainer wait",
  },
  {
    key: "database",
    given: ({ database }) => database.kind,
    holds: ({ database }) => database.kind === "external",
    allowed:
      "external in production: the stack's own PostgreSQL is one pod on one volume, without a replica or backups",
    mend: "database external",
  },
  {
    key: "replicas",
    given: ({ replicas }) => String(replicas),
    holds: ({ replicas }) => replicas >= 2,
    allowed: "2 or more in production: one pod is gone with its node",
    mend: "replicas 2",
  },
  {
    key: "roles",
    given: ({ applicationRole }) => (applicationRole === undefined ? "one" : "two"),
    holds: ({ applicationRole }) => applicationRole !== undefined,
    allowed: "two in production: an application that can change the schema can lose it",
    mend: "roles two",
  },
  {
    key: "databaseTls",
    given: ({ databaseTls }) => databaseTls?.mode ?? "prefer",
    holds: ({ databaseTls }) => databaseTls?.mode === "verify-full",
    allowed: "verify-full in production: else anyone in between can be the database",
    mend: "databaseTls verify-full",
  },
  {
    key: "promotedFrom",
    given: ({ promotedFrom }) => promotedFrom,
    holds: ({ promotedFrom }) => promotedFrom !== undefined,
    allowed: "the stack for staging in production, which takes only what has succeeded there",
    mend: "promotedFrom staging",
  },
];

/** @returns What production refuses of a stack's settings. */
export function productionErrors(settings: Settings): readonly SettingError[] {
  return rules
    .filter((rule) => !rule.holds(settings))
    .map(({ key, given, allowed, mend }) => [key, given(settings), allowed, mend]);
}
