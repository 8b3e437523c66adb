import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { names } from "../manifests/names.ts";
import {
  ownedDatabaseUrl,
  postgresClaimSpec,
  postgresDeploymentSpec,
  postgresServiceSpec,
} from "../manifests/postgres.ts";
import { childOptions } from "./child-options.ts";
import { objectMetadata, withoutAwait } from "./metadata.ts";

/** Arguments of {@link OwnedDatabase}. */
export interface OwnedDatabaseArgs {
  /** Kubernetes namespace of its objects. */
  readonly namespace: pulumi.Input<string>;
  /** PostgreSQL image that keeps the official one's contract. */
  readonly image: string;
  /** `Always`, `IfNotPresent` or `Never`. */
  readonly imagePullPolicy: string;
  /** Size of the data volume, as a Kubernetes quantity. */
  readonly storage: string;
  /** Password of the database's owner; the server takes it when it first initialises its volume. */
  readonly password: pulumi.Input<string>;
}

/** Arguments of {@link ExternalDatabase}. */
export interface ExternalDatabaseArgs {
  /** Kubernetes namespace of its objects. */
  readonly namespace: pulumi.Input<string>;
  /** `postgresql://user:password@host:port/database`. */
  readonly url: pulumi.Input<string>;
  /**
   * The same, past a connection pooler.
   *
   * @default `url`
   */
  readonly migrationUrl?: pulumi.Input<string> | undefined;
}

/** A database as the migrate Job and the backend see it: a Secret that holds `DATABASE_URL`. */
export interface Database extends pulumi.ComponentResource {
  /** Name of the Secret. */
  readonly secretName: string;
  /** Changes when the Secret's content does, and tells nothing of it. */
  readonly secretVersion: pulumi.Output<string>;
}

/**
 * Declares the Secret of a database. The provider replaces a Secret whose content changes, so that each content is an
 * object with a uid of its own.
 */
function credentials(
  name: string,
  namespace: pulumi.Input<string>,
  stringData: Record<string, pulumi.Output<string>>,
  options: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
  const metadata = objectMetadata(names.databaseSecret, namespace, names.postgres);
  return new k8s.core.v1.Secret(`${name}-credentials`, { metadata, stringData }, options);
}

/** A PostgreSQL of the stack's own: its data is on a volume claim and outlives its pod. */
export class OwnedDatabase extends pulumi.ComponentResource implements Database {
  static readonly token = "unity:index:OwnedDatabase";
  /** Name of the Secret that holds `DATABASE_URL`. */
  readonly secretName = names.databaseSecret;
  /** Changes when the Secret's content does, and tells nothing of it. */
  readonly secretVersion: pulumi.Output<string>;

  constructor(name: string, args: OwnedDatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(OwnedDatabase.token, name, {}, options);
    const { namespace } = args;
    const password = pulumi.secret(args.password);
    const metadata = (object: string) => objectMetadata(object, namespace, names.postgres);

    const secret = credentials(
      name,
      namespace,
      { DATABASE_URL: password.apply(ownedDatabaseUrl), POSTGRES_PASSWORD: password },
      childOptions(this, options),
    );
    const claim = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-data`,
      { metadata: withoutAwait(metadata(names.postgres)), spec: postgresClaimSpec(args.storage) },
      childOptions(this, options, { retainOnDelete: true }),
    );
    const deployment = new k8s.apps.v1.Deployment(
      name,
      { metadata: metadata(names.postgres), spec: postgresDeploymentSpec({ ...args, secretName: this.secretName }) },
      childOptions(this, options, { dependsOn: [secret, claim] }),
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: withoutAwait(metadata(names.postgresService)), spec: postgresServiceSpec() },
      childOptions(this, options, { dependsOn: deployment }),
    );
    this.secretVersion = secret.metadata.uid;
    this.registerOutputs({ secretName: this.secretName });
  }
}

/** A PostgreSQL that lives elsewhere: only the Secret with its URL. */
export class ExternalDatabase extends pulumi.ComponentResource implements Database {
  static readonly token = "unity:index:ExternalDatabase";
  /** Name of the Secret that holds `DATABASE_URL`. */
  readonly secretName = names.databaseSecret;
  /** Changes when the Secret's content does, and tells nothing of it. */
  readonly secretVersion: pulumi.Output<string>;

  constructor(name: string, args: ExternalDatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(ExternalDatabase.token, name, {}, options);
    const { url, migrationUrl } = args;
    const urls = {
      DATABASE_URL: pulumi.secret(url),
      ...(migrationUrl !== undefined && { MIGRATION_DATABASE_URL: pulumi.secret(migrationUrl) }),
    };
    const secret = credentials(name, args.namespace, urls, childOptions(this, options));
    this.secretVersion = secret.metadata.uid;
    this.registerOutputs({ secretName: this.secretName });
  }
}

/** Arguments of either kind of database. */
export type DatabaseArgs = { readonly imagePullPolicy: string } & (
  | ({ readonly kind: "owned" } & OwnedDatabaseArgs)
  | ({ readonly kind: "external" } & ExternalDatabaseArgs)
);

/** @returns The database that the settings ask for. */
export function createDatabase(name: string, args: DatabaseArgs, options: pulumi.ComponentResourceOptions): Database {
  switch (args.kind) {
    case "owned":
      return new OwnedDatabase(name, args, options);
    case "external":
      return new ExternalDatabase(name, args, options);
  }
}
