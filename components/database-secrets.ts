import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { unity } from "../src/manifests/app.ts";
import type { DatabaseSecrets, ExternalCredentials, OwnedCredentials } from "../src/manifests/database-secrets.ts";
import { names } from "../src/manifests/names.ts";
import { databasePortError } from "../src/manifests/network-policies.ts";
import { ownedDatabaseUrl } from "../src/manifests/postgres.ts";
import { objectMetadata } from "./children.ts";

/** Arguments that both kinds of database have. */
export interface DatabaseUse {
  /** Kubernetes namespace of the database's Secrets. */
  readonly namespace: pulumi.Input<string>;
  /** Secrets that pods read the database's URLs from. */
  readonly secrets: DatabaseSecrets;
}

/** Database, as the migration Job and the backend use it: Secrets with `DATABASE_URL`. */
export interface Database extends pulumi.ComponentResource {
  /** Version of the backend's Secret, which reveals nothing of its content; `undefined` for an existing Secret. */
  readonly secretVersion: pulumi.Output<string> | undefined;
}

type SecretValues = Record<string, pulumi.Output<string>>;

/** Values of a database's Secrets, by key; `migrations` is `undefined` if both are one Secret. */
interface SecretContents {
  readonly application: SecretValues;
  readonly migrations?: SecretValues | undefined;
}

/** Returns the contents of an owned database's Secrets. */
export function ownedContents(credentials: OwnedCredentials): SecretContents {
  const password = pulumi.secret(credentials.password);
  const owner = { DATABASE_URL: password.apply((value) => ownedDatabaseUrl(value)), POSTGRES_PASSWORD: password };
  if (credentials.application === undefined) return { application: owner };
  const { role, password: rolePassword } = credentials.application;
  const url = pulumi.secret(rolePassword).apply((value) => ownedDatabaseUrl(value, role));
  return { application: { DATABASE_URL: url }, migrations: owner };
}

/**
 * Returns the contents of an external database's Secrets.
 *
 * @param isSeparate - Whether the migrations have a Secret of their own.
 * @param component - Resource to report errors for.
 */
export function externalContents(
  { url, migrationUrl, ports }: ExternalCredentials,
  isSeparate: boolean,
  component: pulumi.Resource,
): SecretContents {
  const given = pulumi.secret(pulumi.all([url, migrationUrl]));
  const verified = given.apply(([application, migrations]) => verifyUrls(application, migrations, ports, component));
  const { application, migrations } = verified;
  if (migrationUrl === undefined) return { application: { DATABASE_URL: application } };
  if (isSeparate) return { application: { DATABASE_URL: application }, migrations: { DATABASE_URL: migrations } };
  return { application: { DATABASE_URL: application, MIGRATION_DATABASE_URL: migrations } };
}

/**
 * Returns the URLs of a database after verifying that network policies let pods reach their ports.
 *
 * @throws {pulumi.ResourceError} If ports are blocked; the message lists all of them.
 */
function verifyUrls(
  application: string,
  migrations: string | undefined,
  allowed: readonly number[] | undefined,
  component: pulumi.Resource,
) {
  const errors: (string | undefined)[] = [databasePortError("databaseUrl", application, allowed)];
  if (migrations !== undefined) errors.push(databasePortError("migrationDatabaseUrl", migrations, allowed));
  const messages = errors.filter((error) => error !== undefined);
  if (messages.length > 0) throw new pulumi.ResourceError(messages.join("\n"), component, true);
  return { application, migrations: migrations ?? application };
}

/**
 * Declares the Secrets of a database, the backend's first. A Secret with a new name is created before the old one is
 * deleted, which the old pods need until then.
 */
export function declareSecrets(
  name: string,
  namespace: pulumi.Input<string>,
  secrets: DatabaseSecrets,
  { application, migrations }: SecretContents,
  options: pulumi.CustomResourceOptions,
): readonly [k8s.core.v1.Secret, ...k8s.core.v1.Secret[]] {
  const declare = (resource: string, secret: string, values: SecretValues) => {
    const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.apply(base64)]));
    const metadata = objectMetadata(secret, namespace, names.postgres, unity);
    return new k8s.core.v1.Secret(resource, { metadata, data }, options);
  };
  const first = declare(`${name}-credentials`, secrets.application, application);
  if (migrations === undefined) return [first];
  return [first, declare(`${name}-migration-credentials`, secrets.migrations, migrations)];
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
