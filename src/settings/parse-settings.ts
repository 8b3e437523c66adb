import { imagePullPolicies } from "../manifests/runner.ts";
import { podSecurityLevels } from "../manifests/security.ts";
import { type Timeouts, timeoutErrors } from "../manifests/timeouts.ts";
import { planHashPattern } from "../plan/plan-hash.ts";
import { unknownPlan } from "../plan/rejection.ts";
import { readAccess, readDatabase } from "./database.ts";
import { productionErrors } from "./production-rules.ts";
import { type ConfigSource, SettingsReader } from "./reader.ts";
import { environments, type RestorePoints, type Settings } from "./settings.ts";

const namespaceName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
// https://github.com/distribution/reference: a name, then a tag, a digest, or both.
const imageReference = /^[a-z0-9][a-zA-Z0-9._:/-]*(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$/;
const imageAllowed = "an image reference with a tag or a digest";
// A hash of another version is stale, and the plan's message says how to renew it.
const planHash = new RegExp(`^(${planHashPattern}|${unknownPlan})$`);
const ownerName = /^[^\s/]+\/[^\s/]+$/;
const stackName = /^[\w.-]+(\/[\w.-]+){0,2}$/;

/** Settings that are read in some modes only; the others ignore them. */
const conditionalSettings = [
  "applicationPassword",
  "databasePassword",
  "databasePorts",
  "databaseStorage",
  "databaseUrl",
  "migrationDatabaseUrl",
  "restorePointStorage",
];

function readTimeouts(reader: SettingsReader): Timeouts {
  const day = 86_400;
  const timeouts = {
    lockTimeoutSeconds: reader.integer("lockTimeoutSeconds", 1, day),
    statementTimeoutSeconds: reader.integer("statementTimeoutSeconds", 1, day),
    deadlineSeconds: reader.integer("deadlineSeconds", 1, day),
    awaitTimeoutSeconds: reader.integer("awaitTimeoutSeconds", 1, day),
    startTimeoutSeconds: reader.integer("startTimeoutSeconds", 1, day),
    restorePointTimeoutSeconds: reader.integer("restorePointTimeoutSeconds", 1, day),
  };
  for (const { name, seconds, minimum, bound } of timeoutErrors(timeouts))
    reader.error(name, seconds, `greater than ${bound}`, `${name} ${2 * minimum}`);
  return timeouts;
}

function readRestorePoint(reader: SettingsReader, image: string, allowDowngrade: boolean): RestorePoints | undefined {
  const enabled = reader.flag("restorePoint");
  if (allowDowngrade && !enabled)
    reader.error("restorePoint", "false", "true if allowDowngrade is true", "restorePoint true");
  return enabled ? { image, storage: reader.size("restorePointStorage") } : undefined;
}

/** Returns the context; `undefined` for the current one, which a stack must ask for. */
function readContext(reader: SettingsReader): string | undefined {
  if (!reader.flag("useCurrentContext")) return reader.text("context", /\S/, "a kubeconfig context", "<name>");
  const context = reader.optional("context", /\S/, "a kubeconfig context", "<name>");
  if (context !== undefined)
    reader.error("useCurrentContext", "true", "false if unity:context is set", "useCurrentContext false");
  return undefined;
}

/** Parses the settings of the stack. An invalid setting has its value or the default. */
export function parseSettings(source: ConfigSource): {
  readonly settings: Settings;
  readonly errors: readonly string[];
} {
  const reader = new SettingsReader(source);
  const backendImage = "<registry>/unity-backend:<tag>";
  const postgresImage = reader.text("postgresImage", imageReference, imageAllowed, "postgres:17");
  const allowDowngrade = reader.flag("allowDowngrade");
  const access = readAccess(reader);
  const initContainer = reader.oneOf("initContainer", ["upgrade", "wait"]);
  if (access.applicationRole !== undefined && initContainer !== "wait")
    reader.error("initContainer", initContainer, '"wait" if databaseRoles is "separate"', "initContainer wait");
  const environment = reader.oneOf("environment", environments);
  const podSecurityStandard = reader.oneOf("podSecurityStandard", podSecurityLevels);
  const settings: Settings = {
    environment,
    owner: source.owner,
    adoptFrom: reader.optional("adoptFrom", ownerName, "an owner, as <project>/<stack>", "<project>/<stack>"),
    driftIgnore: reader.list("driftIgnore", "comma-separated names of database objects", "public.<table>,role:<role>"),
    adoptWithout: reader.list("adoptWithout", "comma-separated parts of existing pods", "env/<name>,volume/<name>"),
    context: readContext(reader),
    namespace: reader.text("namespace", namespaceName, "a Kubernetes namespace name", "unity"),
    createNamespace: reader.optionalFlag("createNamespace") ?? environment === "development",
    clusterTimeoutSeconds: reader.integer("clusterTimeoutSeconds", 10, 3600),
    image: reader.text("image", imageReference, imageAllowed, backendImage),
    migrationImage: reader.optional("migrationImage", imageReference, imageAllowed, backendImage),
    imagePullPolicy: reader.oneOf("imagePullPolicy", imagePullPolicies),
    replicas: reader.integer("replicas", 1, 100),
    initContainer,
    rolloutTimeoutSeconds: reader.integer("rolloutTimeoutSeconds", 10, 3600),
    pods: reader.pods("pods", podSecurityStandard),
    podSecurityStandard,
    database: readDatabase(reader, postgresImage, access),
    ...access,
    timeouts: readTimeouts(reader),
    targetRevision: reader.optional("targetRevision", /^\S+$/, "a revision in the lockfile", "<id>"),
    allowDowngrade,
    restorePoint: readRestorePoint(reader, postgresImage, allowDowngrade),
    toleratedRevisions: reader.list("toleratedRevisions", "comma-separated revision IDs", "<id>,<id>"),
    approvals: reader.approvals("approvals"),
    planHash: reader.optional("planHash", planHash, "a plan hash, as printed by pulumi preview", "<hash>"),
    promotedFrom: reader.optional("promotedFrom", stackName, "a stack or organization/project/stack", "staging"),
  };
  reader.rejectUnknown(conditionalSettings);
  if (settings.environment === "production") {
    for (const { key, value, allowed, example } of productionErrors(settings))
      reader.error(key, value, allowed, example);
  }
  return { settings, errors: reader.errors };
}
