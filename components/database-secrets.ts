import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseSecrets, ExternalCredentials, OwnedCredentials } from "../src/manifests/database-secrets.ts";
import { names } from "../src/manifests/names.ts";
import { databasePortError } from "../src/manifests/network-policies.ts";
import { ownedDatabaseUrl } from "../src/manifests/postgres.ts";
import { objectMetadata } from "./metadata.ts";

/** What a Secret holds, by key. */
type Content = Record<string, pulumi.Output<string>>;

/** What the Secrets hold; of one role, the migrate Job's is the backend's. */
export interface SecretContents {
  readonly application: Content;
  readonly migrations?: Content;
}

/** @returns What the Secrets of a PostgreSQL of the stack's own hold. */
export function ownedContents({ password: given, application }: OwnedCredentials): SecretContents {
  const password = pulumi.secret(given);
  const owner = { DATABASE_URL: password.apply((value) => ownedDatabaseUrl(value)), POSTGRES_PASSWORD: password };
  if (application === undefined) return { application: owner };
  const { role } = application;
  const url = pulumi.secret(application.password).apply((value) => ownedDatabaseUrl(value, role));
  return { application: { DATABASE_URL: url }, migrations: owner };
}

/** @returns What the Secrets of a PostgreSQL that lives elsewhere hold. */
export function externalContents(credentials: ExternalCredentials, two: boolean): SecretContents {
  const verified = (key: string, url: pulumi.Input<string>) =>
    pulumi.secret(url).apply((value) => verifyPort(key, value, credentials.ports));
  const url = verified("databaseUrl", credentials.url);
  if (credentials.migrationUrl === undefined) return { application: { DATABASE_URL: url } };
  const migrationUrl = verified("migrationDatabaseUrl", credentials.migrationUrl);
  return two
    ? { application: { DATABASE_URL: url }, migrations: { DATABASE_URL: migrationUrl } }
    : { application: { DATABASE_URL: url, MIGRATION_DATABASE_URL: migrationUrl } };
}

function verifyPort(key: string, url: string, ports: readonly number[] | undefined): string {
  const error = databasePortError(key, url, ports);
  if (error !== undefined) throw new pulumi.RunError(error);
  return url;
}

/**
 * Declares the Secrets of a database, the backend's first. One of another name comes before the old one goes, which the
 * old pods need until then.
 */
export function declareSecrets(
  name: string,
  namespace: pulumi.Input<string>,
  secrets: DatabaseSecrets,
  { application, migrations }: SecretContents,
  options: pulumi.CustomResourceOptions,
): readonly [k8s.core.v1.Secret, ...k8s.core.v1.Secret[]] {
  const declare = (resource: string, secret: string, content: Content) => {
    const data = Object.fromEntries(Object.entries(content).map(([key, value]) => [key, value.apply(base64)]));
    const metadata = objectMetadata(secret, namespace, names.postgres);
    return new k8s.core.v1.Secret(resource, { metadata, data }, options);
  };
  const first = declare(`${name}-credentials`, secrets.application, application);
  if (migrations === undefined) return [first];
  return [first, declare(`${name}-migration-credentials`, secrets.migrations, migrations)];
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
