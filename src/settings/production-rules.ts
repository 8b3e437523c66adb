import { digestOf } from "../manifests/image-reference.ts";
import type { Settings } from "./settings.ts";

/** A value that production rejects. */
interface RejectedSetting {
  readonly key: string;
  readonly value: string | undefined;
  /** Requirement after "must be", with its reason. */
  readonly allowed: string;
  /** Arguments of `pulumi config set` that fix it. */
  readonly example: string;
}

/** A rule on one setting of a production stack. */
interface Rule extends Omit<RejectedSetting, "value"> {
  /** Returns the value to report. */
  value(settings: Settings): string | undefined;
  /** Whether the settings comply with the rule. */
  accepts(settings: Settings): boolean;
}

/** Returns a rule that requires an image to be pinned by digest, if the stack uses it. */
function pinned(key: string, repository: string, imageOf: (settings: Settings) => string | undefined): Rule {
  return {
    key,
    value: imageOf,
    accepts: (settings) => {
      const image = imageOf(settings);
      return image === undefined || image === "" || digestOf(image) !== undefined;
    },
    allowed: "pinned by digest in production; tags are mutable",
    example: `${key} ${repository}@sha256:<digest>`,
  };
}

const backendImage = "<registry>/unity-backend";

/** Rules on settings alone; the plan and the promotion have those that need the database or another stack. */
const rules: readonly Rule[] = [
  pinned("image", backendImage, ({ image }) => image),
  pinned("migrationImage", backendImage, ({ migrationImage }) => migrationImage),
  pinned("postgresImage", "postgres", ({ restorePoint }) => restorePoint?.image),
  {
    key: "createNamespace",
    value: ({ createNamespace }) => String(createNamespace),
    accepts: ({ createNamespace }) => !createNamespace,
    allowed: '"false" in production; an account that can label the namespace can start privileged pods in it',
    example: "createNamespace false",
  },
  {
    key: "initContainer",
    value: ({ initContainer }) => initContainer,
    accepts: ({ initContainer }) => initContainer === "wait",
    allowed: '"wait" in production; otherwise any pod that starts could migrate the database',
    example: "initContainer wait",
  },
  {
    key: "database",
    value: ({ database }) => database.kind,
    accepts: ({ database }) => database.kind === "external",
    allowed: '"external" in production; an owned database has no replica and no backups',
    example: "database external",
  },
  {
    key: "replicas",
    value: ({ replicas }) => String(replicas),
    accepts: ({ replicas }) => replicas >= 2,
    allowed: "at least 2 in production to survive node failure",
    example: "replicas 2",
  },
  {
    key: "databaseRoles",
    value: ({ applicationRole }) => (applicationRole === undefined ? "shared" : "separate"),
    accepts: ({ applicationRole }) => applicationRole !== undefined,
    allowed: '"separate" in production; otherwise the application can change the schema',
    example: "databaseRoles separate",
  },
  {
    key: "databaseTls",
    value: ({ databaseTls }) => databaseTls?.mode ?? "prefer",
    accepts: ({ databaseTls }) => databaseTls?.mode === "verify-full",
    allowed: '"verify-full" in production; otherwise any server can pose as the database',
    example: "databaseTls verify-full",
  },
  {
    key: "promotedFrom",
    value: ({ promotedFrom }) => promotedFrom,
    accepts: ({ promotedFrom }) => promotedFrom !== undefined,
    allowed: "the staging stack in production; only releases that succeeded there are deployed",
    example: "promotedFrom staging",
  },
];

/** Returns the settings that production rejects. */
export function productionErrors(settings: Settings): readonly RejectedSetting[] {
  const violated = rules.filter((rule) => !rule.accepts(settings));
  return violated.map(({ key, value, allowed, example }) => ({ key, value: value(settings), allowed, example }));
}
