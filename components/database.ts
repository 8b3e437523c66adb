import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseSecrets, ExternalCredentials, OwnedCredentials } from "../src/manifests/database-secrets.ts";
import { names, serviceAccounts } from "../src/manifests/names.ts";
import { postgresClaimSpec, postgresDeploymentSpec, postgresServiceSpec } from "../src/manifests/postgres.ts";
import { childOptions } from "./child-options.ts";
import { declareSecrets, externalContents, ownedContents } from "./database-secrets.ts";
import { objectMetadata, withoutAwait } from "./metadata.ts";
import { serviceAccount } from "./service-account.ts";

/** Where a database is used from, and by whom. */
interface DatabaseUse {
  /** Kubernetes namespace of its objects. */
  readonly namespace: pulumi.Input<string>;
  /** Secrets that pods get its URLs from. */
  readonly secrets: DatabaseSecrets;
}

/** Arguments of {@link OwnedDatabase}. */
export interface OwnedDatabaseArgs extends DatabaseUse {
  /** PostgreSQL image that keeps the official one's contract. */
  readonly image: string;
  /** `Always`, `IfNotPresent` or `Never`. */
  readonly imagePullPolicy: string;
  /** Size of the data volume, as a Kubernetes quantity. */
  readonly storage: string;
  /**
   * What the Secrets hold.
   *
   * @defaultValue they are Secrets that others made
   */
  readonly credentials?: OwnedCredentials | undefined;
}

/** Arguments of {@link ExternalDatabase}. */
export interface ExternalDatabaseArgs extends DatabaseUse {
  /**
   * What the Secrets hold.
   *
   * @defaultValue they are Secrets that others made
   */
  readonly credentials?: ExternalCredentials | undefined;
}

/** A database as the migrate Job and the backend see it: Secrets that hold `DATABASE_URL`. */
export interface Database extends pulumi.ComponentResource {
  /**
   * Changes when the content of the backend's Secret does, and tells nothing of it; `undefined` for one that others
   * made.
   */
  readonly secretVersion: pulumi.Output<string> | undefined;
}

/** A PostgreSQL of the stack's own: its data is on a volume claim and outlives its pod. */
export class OwnedDatabase extends pulumi.ComponentResource implements Database {
  static readonly token = "unity:index:OwnedDatabase";
  /** Changes when the content of the backend's Secret does; `undefined` for one that others made. */
  readonly secretVersion: pulumi.Output<string> | undefined;

  constructor(name: string, args: OwnedDatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(OwnedDatabase.token, name, {}, options);
    const { namespace, secrets, credentials } = args;
    const metadata = (object: string) => objectMetadata(object, namespace, names.postgres);
    const own = childOptions(this, options);

    const declared = credentials && declareSecrets(name, namespace, secrets, ownedContents(credentials), own);
    const account = serviceAccount(name, serviceAccounts.postgres, namespace, names.postgres, own);
    const claim = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-data`,
      { metadata: withoutAwait(metadata(names.postgres)), spec: postgresClaimSpec(args.storage) },
      { ...own, retainOnDelete: true },
    );
    const deployment = new k8s.apps.v1.Deployment(
      name,
      {
        metadata: metadata(names.postgres),
        spec: postgresDeploymentSpec({ ...args, secretName: secrets.migrations }),
      },
      { ...own, dependsOn: [...(declared ?? []), account, claim] },
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: withoutAwait(metadata(names.postgresService)), spec: postgresServiceSpec() },
      { ...own, dependsOn: deployment },
    );
    this.secretVersion = declared?.[0].metadata.resourceVersion;
    this.registerOutputs({});
  }
}

/** A PostgreSQL that lives elsewhere: only the Secrets with its URLs. */
export class ExternalDatabase extends pulumi.ComponentResource implements Database {
  static readonly token = "unity:index:ExternalDatabase";
  /** Changes when the content of the backend's Secret does; `undefined` for one that others made. */
  readonly secretVersion: pulumi.Output<string> | undefined;

  constructor(name: string, args: ExternalDatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(ExternalDatabase.token, name, {}, options);
    const { namespace, secrets, credentials } = args;
    const contents = credentials && externalContents(credentials, secrets.application !== secrets.migrations);
    const own = childOptions(this, options);
    this.secretVersion =
      contents && declareSecrets(name, namespace, secrets, contents, own)[0].metadata.resourceVersion;
    this.registerOutputs({});
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
