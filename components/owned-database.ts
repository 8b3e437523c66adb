import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../src/cluster/program-target.ts";
import { unity } from "../src/manifests/app.ts";
import type { OwnedCredentials } from "../src/manifests/database-secrets.ts";
import { names, serviceAccounts } from "../src/manifests/names.ts";
import type { PlainPlacement } from "../src/manifests/pod-config.ts";
import {
  postgresClaimSpec,
  postgresDeploymentSpec,
  postgresServiceSpec,
  postgresStartSeconds,
} from "../src/manifests/postgres.ts";
import { childOptions, objectMetadata, serviceAccount, withFormerType, withoutAwait } from "./children.ts";
import { clusterInputs, waitCommand } from "./commands.ts";
import { type Database, type DatabaseUse, declareSecrets, ownedContents } from "./database-secrets.ts";

/** Arguments of {@link OwnedDatabase}. */
export interface OwnedDatabaseArgs extends DatabaseUse, ClusterArgs {
  /** PostgreSQL image with the contract of the official one. */
  readonly image: string;
  /** Image pull policy: `Always`, `IfNotPresent`, or `Never`. */
  readonly imagePullPolicy: string;
  /** Size of the data volume, as a Kubernetes quantity. */
  readonly storage: string;
  /**
   * Credentials for the Secrets.
   *
   * @defaultValue the Secrets exist already
   */
  readonly credentials?: OwnedCredentials | undefined;
  /**
   * Where the pod runs, and the Secrets that pull its image.
   *
   * @defaultValue any node
   */
  readonly placement?: PlainPlacement | undefined;
}

/**
 * Deploys a PostgreSQL, whose data is on a volume claim that outlives it. A new image replaces a running one only once it is
 * proven to be pullable and to contain the same major version.
 *
 * @example
 * ```ts
 * const database = new OwnedDatabase(
 *   "postgres",
 *   {
 *     context: "my-cluster",
 *     namespace: "unity",
 *     secrets: { application: "database", migrations: "database", existing: false },
 *     image: "postgres:17",
 *     imagePullPolicy: "IfNotPresent",
 *     storage: "1Gi",
 *     credentials: { password: config.requireSecret("databasePassword") },
 *   },
 *   { provider },
 * );
 * ```
 */
export class OwnedDatabase extends pulumi.ComponentResource implements Database {
  static readonly token = "pulumi-alembic:index:OwnedDatabase";
  /** Version of the backend's Secret; `undefined` for an existing Secret. */
  readonly secretVersion: pulumi.Output<string> | undefined;

  constructor(name: string, args: OwnedDatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(OwnedDatabase.token, name, {}, withFormerType(OwnedDatabase.token, options));
    const { namespace, secrets, credentials, storage, image, imagePullPolicy, placement } = args;

    const metadata = (object: string) => objectMetadata(object, namespace, names.postgres, unity);
    const deploymentSpec = postgresDeploymentSpec({ ...args, secretName: secrets.migrations });

    const own = childOptions(this, options);
    const dependencies: pulumi.Resource[] = [];
    let secretVersion: pulumi.Output<string> | undefined;
    if (credentials !== undefined) {
      const declared = declareSecrets(name, namespace, secrets, ownedContents(credentials), own);
      dependencies.push(...declared);
      secretVersion = declared[0].metadata.resourceVersion;
    }
    dependencies.push(serviceAccount(name, serviceAccounts.postgres, namespace, names.postgres, own, unity));
    const claim = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-data`,
      { metadata: withoutAwait(metadata(names.postgres)), spec: postgresClaimSpec(storage) },
      { ...own, retainOnDelete: true },
    );
    const timeoutSeconds = postgresStartSeconds + 660;
    const target = { ...clusterInputs(args), namespace, name: names.postgres, timeoutSeconds };
    const imageTarget = { ...target, timeoutSeconds: 600, image, imagePullPolicy, placement };
    dependencies.push(claim, waitCommand(`${name}-image`, "postgres-image", imageTarget, image, own));
    // The provider's own wait is shorter than a recovery may take.
    const deployment = new k8s.apps.v1.Deployment(
      name,
      { metadata: withoutAwait(metadata(names.postgres)), spec: deploymentSpec },
      { ...own, dependsOn: dependencies },
    );
    const { uid, generation } = deployment.metadata;
    const rollout = pulumi.interpolate`${uid}/${generation}`;
    waitCommand(`${name}-rollout`, "rollout", target, rollout, { parent: this, dependsOn: deployment });
    new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: withoutAwait(metadata(names.postgresService)), spec: postgresServiceSpec() },
      { ...own, dependsOn: deployment },
    );

    const outputs = { secretVersion };
    this.secretVersion = outputs.secretVersion;
    this.registerOutputs(outputs);
  }
}
