import * as pulumi from "@pulumi/pulumi";
import { type InitContainerMode, imagePullPolicies, type Timeouts, timeoutErrors } from "../manifests/runner.ts";
import { projectRoot } from "../paths.ts";
import type { Approval } from "../plan/approvals.ts";
import { unknownPlan } from "../plan/rejection.ts";
import {
  type DatabaseAccess,
  type ExternalDatabase,
  type OwnedDatabase,
  readAccess,
  readDatabase,
} from "./database.ts";
import { declaredSettings } from "./declared.ts";
import { productionErrors } from "./production-rules.ts";
import { SettingsReader } from "./reader.ts";

/** Dumps that are taken before each migration. */
export interface RestorePoints {
  /** PostgreSQL image whose `pg_dump` is not older than the server. */
  readonly image: string;
  /** Size of their volume, as a Kubernetes quantity. */
  readonly storage: string;
}

/** What a stack is for. */
export type Environment = (typeof environments)[number];

/** Everything a stack decides. */
export interface Settings extends DatabaseAccess {
  readonly environment: Environment;
  /** Context of the user's kubeconfig. */
  readonly context: string;
  readonly namespace: string;
  /** Backend image. */
  readonly image: string;
  /** Image that migrates, if it is not the backend's: one that knows more revisions, for going back. */
  readonly migrationImage: string | undefined;
  readonly imagePullPolicy: string;
  /** Backend pods. */
  readonly replicas: number;
  readonly initContainer: InitContainerMode;
  readonly rolloutTimeoutSeconds: number;
  readonly database: OwnedDatabase | ExternalDatabase;
  readonly timeouts: Timeouts;
  /** Revision to bring the database to, instead of the lock's head. */
  readonly targetRevision: string | undefined;
  /** Whether revisions beyond the target may be undone. */
  readonly allowDowngrade: boolean;
  readonly restorePoint: RestorePoints | undefined;
  /** Revisions that this release's lock lacks and that its code runs on all the same. */
  readonly toleratedRevisions: readonly string[];
  /** Findings of revisions that the stack accepts. */
  readonly approvals: readonly Approval[];
  /** Hash of the only plan that may be carried out, as a preview showed it; any plan may if it is not set. */
  readonly planHash: string | undefined;
  /** Stack that a release must have succeeded in. */
  readonly promotedFrom: string | undefined;
}

const environments = ["development", "staging", "production"] as const;
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
// https://github.com/distribution/reference: a name, then a tag, a digest or both.
const imageReference = /^[a-z0-9][a-zA-Z0-9._:/-]*(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$/;
const planHash = new RegExp(`^([0-9a-f]{16}|${unknownPlan})$`);
const stackName = /^[\w.-]+(\/[\w.-]+){0,2}$/;

function readTimeouts(reader: SettingsReader): Timeouts {
  const day = 86_400;
  const timeouts = {
    lockTimeoutSeconds: reader.integer("lockTimeoutSeconds", 1, day),
    statementTimeoutSeconds: reader.integer("statementTimeoutSeconds", 1, day),
    deadlineSeconds: reader.integer("deadlineSeconds", 1, day),
    awaitTimeoutSeconds: reader.integer("awaitTimeoutSeconds", 1, day),
  };
  for (const { name, seconds, least, bound } of timeoutErrors(timeouts))
    reader.error(name, seconds, `more than ${bound}`, `${name} ${2 * least}`);
  return timeouts;
}

function readPostgresImage(reader: SettingsReader): string {
  const allowed = "an image reference with a tag or a digest";
  return reader.text("postgresImage", imageReference, allowed, "postgres:17");
}

function readRestorePoint(reader: SettingsReader, image: string, allowDowngrade: boolean): RestorePoints | undefined {
  const wanted = reader.flag("restorePoint");
  if (allowDowngrade && !wanted)
    reader.error("restorePoint", "false", "true where allowDowngrade is", "restorePoint true");
  if (!wanted) return undefined;
  const storage = reader.size("restorePointStorage");
  return { image, storage };
}

/**
 * Reads the stack's settings: the only reader of `pulumi.Config`.
 *
 * @throws {pulumi.RunError} One error that names every fault, what is allowed and the command that mends it.
 */
export function loadSettings(config: pulumi.Config = new pulumi.Config("unity")): Settings {
  const { settings, errors } = parseSettings(config);
  if (errors.length > 0)
    throw new pulumi.RunError(`The stack's configuration has faults:\n  - ${errors.join("\n  - ")}`);
  return settings;
}

/** Parses the stack's settings. Those with an error have their value or the default. */
export function parseSettings(config: pulumi.Config): {
  readonly settings: Settings;
  readonly errors: readonly string[];
} {
  const reader = new SettingsReader(config);
  reader.refuseUnknown(declaredSettings(projectRoot));
  const allowDowngrade = reader.flag("allowDowngrade");
  const postgresImage = readPostgresImage(reader);
  const access = readAccess(reader);
  const initContainer = reader.oneOf("initContainer", ["upgrade", "wait"]);
  if (access.applicationRole !== undefined && initContainer !== "wait")
    reader.error("initContainer", initContainer, "wait where roles is two", "initContainer wait");
  const settings: Settings = {
    environment: reader.oneOf("environment", environments),
    context: reader.text("context", /\S/, "a context of your kubeconfig", "<name>"),
    namespace: reader.text("namespace", label, "a Kubernetes namespace's name", "unity"),
    image: reader.text(
      "image",
      imageReference,
      "the backend's image with a tag or a digest",
      "<registry>/unity-backend:<tag>",
    ),
    migrationImage: reader.optional(
      "migrationImage",
      imageReference,
      "the image that migrates, with a tag or a digest",
      "<registry>/unity-backend:<tag>",
    ),
    imagePullPolicy: reader.oneOf("imagePullPolicy", imagePullPolicies),
    replicas: reader.integer("replicas", 1, 100),
    initContainer,
    rolloutTimeoutSeconds: reader.integer("rolloutTimeoutSeconds", 10, 3600),
    database: readDatabase(reader, postgresImage, access),
    ...access,
    timeouts: readTimeouts(reader),
    targetRevision: reader.optional("targetRevision", /^\S+$/, "a revision of the lock", "<id>"),
    allowDowngrade,
    restorePoint: readRestorePoint(reader, postgresImage, allowDowngrade),
    toleratedRevisions: reader.list("toleratedRevisions", "revision ids with commas between them", "<id>,<id>"),
    approvals: reader.approvals("approvals"),
    planHash: reader.optional("planHash", planHash, "the hash of a plan, 16 hexadecimal digits", "<hash>"),
    promotedFrom: reader.optional("promotedFrom", stackName, "a stack, or organization/project/stack", "staging"),
  };
  if (settings.environment === "production") for (const error of productionErrors(settings)) reader.error(...error);
  return { settings, errors: reader.errors };
}
