import * as pulumi from "@pulumi/pulumi";
import type { ExternalCredentials } from "../src/manifests/database-secrets.ts";
import { childOptions, withFormerType } from "./children.ts";
import { type Database, type DatabaseUse, declareSecrets, externalContents } from "./database-secrets.ts";

/** Arguments of {@link ExternalDatabase}. */
export interface ExternalDatabaseArgs extends DatabaseUse {
  /**
   * Credentials for the Secrets.
   *
   * @defaultValue the Secrets exist already
   */
  readonly credentials?: ExternalCredentials | undefined;
}

/**
 * Declares the Secrets with the URLs of an external PostgreSQL.
 *
 * @example
 * ```ts
 * const database = new ExternalDatabase(
 *   "database",
 *   {
 *     namespace: "unity",
 *     secrets: { application: "database", migrations: "database", existing: false },
 *     credentials: { url: config.requireSecret("databaseUrl") },
 *   },
 *   { provider },
 * );
 * ```
 */
export class ExternalDatabase extends pulumi.ComponentResource implements Database {
  static readonly token = "pulumi-alembic:index:ExternalDatabase";
  /** Version of the backend's Secret; `undefined` for an existing Secret. */
  readonly secretVersion: pulumi.Output<string> | undefined;

  constructor(name: string, args: ExternalDatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super(ExternalDatabase.token, name, {}, withFormerType(ExternalDatabase.token, options));
    const { namespace, secrets, credentials } = args;

    let secretVersion: pulumi.Output<string> | undefined;
    if (credentials !== undefined) {
      const contents = externalContents(credentials, secrets.application !== secrets.migrations, this);
      const [declared] = declareSecrets(name, namespace, secrets, contents, childOptions(this, options));
      secretVersion = declared.metadata.resourceVersion;
    }

    const outputs = { secretVersion };
    this.secretVersion = outputs.secretVersion;
    this.registerOutputs(outputs);
  }
}
