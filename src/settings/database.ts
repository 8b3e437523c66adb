import {
  type DatabaseSecrets,
  type ExternalCredentials,
  isOwnSecret,
  type OwnedCredentials,
  ownSecrets,
} from "../manifests/database-secrets.ts";
import type { DatabaseTls } from "../manifests/database-tls.ts";
import { names } from "../manifests/names.ts";
import type { SettingsReader } from "./reader.ts";

/** A PostgreSQL that the stack deploys and keeps the data of. */
export interface OwnedDatabase {
  readonly kind: "owned";
  /** PostgreSQL image that keeps the official one's contract. */
  readonly image: string;
  /** Size of the data volume, as a Kubernetes quantity. */
  readonly storage: string;
  /** `undefined`: they are in Secrets that others made. */
  readonly credentials: OwnedCredentials | undefined;
}

/** A PostgreSQL that lives elsewhere. */
export interface ExternalDatabase {
  readonly kind: "external";
  /** `undefined`: they are in Secrets that others made. */
  readonly credentials: ExternalCredentials | undefined;
  /** TCP ports that its addresses have; any, if no network policy closes the others. */
  readonly ports: readonly number[] | undefined;
}

/** Who gets to the database, and how. */
export interface DatabaseAccess {
  /** The application's own role; the one that migrates is the application's, too, if it is not set. */
  readonly applicationRole: string | undefined;
  /** The name that it has, or would have: a stack with one role may have had two. */
  readonly namedRole: string;
  readonly databaseSecrets: DatabaseSecrets;
  readonly databaseTls: DatabaseTls | undefined;
  /** Whether network policies close what Unity's pods don't need. */
  readonly networkPolicies: boolean;
}

// A role's name that needs no quotes, and is part of a Secret's name with its underscores as hyphens.
const roleName = /^(?!pg_)[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
// Names of objects of Kubernetes.
const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

function readApplicationRole(reader: SettingsReader): Pick<DatabaseAccess, "applicationRole" | "namedRole"> {
  const role = reader.text(
    "applicationRole",
    roleName,
    "a role's name of small letters, digits and single underscores",
    "homelab_app",
  );
  if (reader.oneOf("roles", ["one", "two"]) === "one") return { applicationRole: undefined, namedRole: role };
  if (role === names.databaseOwner || role.length > 63)
    reader.error("applicationRole", role, "another role than the one that migrates", "applicationRole homelab_app");
  return { applicationRole: role, namedRole: role };
}

/** Secrets that others made, if the stack names any. */
function readSecrets(reader: SettingsReader, applicationRole: string | undefined): DatabaseSecrets {
  const [application, migrations] = (["databaseSecret", "migrationSecret"] as const).map((key) => {
    const name = reader.optional(key, objectName, "the name of a Secret in the namespace", "my-secret");
    if (name !== undefined && isOwnSecret(name))
      reader.error(key, name, "another name than those of the Secrets that the program makes", `${key} my-secret`);
    return name;
  });
  if (application === undefined) {
    if (migrations !== undefined)
      reader.error("databaseSecret", undefined, "set where migrationSecret is", "databaseSecret my-secret");
    return ownSecrets(applicationRole);
  }
  if (applicationRole === undefined) {
    if (migrations !== undefined) reader.error("roles", "one", "two where migrationSecret is set", "roles two");
    return { application, migrations: application, existing: true };
  }
  if (migrations === undefined || migrations === application) {
    const allowed = "another Secret than databaseSecret, with the URL of the role that migrates";
    reader.error("migrationSecret", migrations, allowed, "migrationSecret my-migration-secret");
  }
  return { application, migrations: migrations ?? application, existing: true };
}

function readTls(reader: SettingsReader): DatabaseTls | undefined {
  const mode = reader.oneOf("databaseTls", ["prefer", "disable", "require", "verify-full"]);
  const allowed = "a Secret with the key ca.crt";
  const caSecretName = reader.optional("databaseCaSecret", objectName, allowed, "my-database-ca");
  if ((mode === "verify-full") !== (caSecretName !== undefined)) {
    if (caSecretName === undefined)
      reader.error(
        "databaseCaSecret",
        undefined,
        `${allowed} where databaseTls is verify-full`,
        "databaseCaSecret my-database-ca",
      );
    else reader.error("databaseTls", mode, "verify-full where databaseCaSecret is set", "databaseTls verify-full");
  }
  return mode === "prefer" ? undefined : { mode, caSecretName };
}

/** Reads who gets to the database, and how. */
export function readAccess(reader: SettingsReader): DatabaseAccess {
  const { applicationRole, namedRole } = readApplicationRole(reader);
  return {
    applicationRole,
    namedRole,
    databaseSecrets: readSecrets(reader, applicationRole),
    databaseTls: readTls(reader),
    networkPolicies: reader.flag("networkPolicies"),
  };
}

function readPorts(reader: SettingsReader): readonly number[] {
  const allowed = "TCP ports with commas between them";
  const args = reader.list("databasePorts", allowed, "5432");
  const ports = args.map(Number);
  if (args.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
    reader.error("databasePorts", args.join(","), allowed, "databasePorts 5432");
  return ports;
}

/** Reads where the database is and, unless they are in Secrets that others made, its credentials. */
export function readDatabase(
  reader: SettingsReader,
  image: string,
  { applicationRole: role, databaseSecrets: { existing }, databaseTls, networkPolicies }: DatabaseAccess,
): OwnedDatabase | ExternalDatabase {
  const kind = reader.oneOf("database", ["owned", "external"]);
  if (kind === "external") {
    const ports = networkPolicies ? readPorts(reader) : undefined;
    return { kind, credentials: existing ? undefined : { ...readUrls(reader, role), ports }, ports };
  }
  if (databaseTls !== undefined && databaseTls.mode !== "disable") {
    const allowed = "prefer or disable for an owned database, which offers no TLS";
    reader.error("databaseTls", databaseTls.mode, allowed, "databaseTls prefer");
  }
  const storage = reader.size("databaseStorage");
  return { kind, image, storage, credentials: existing ? undefined : readPasswords(reader, role) };
}

function readUrls(reader: SettingsReader, role: string | undefined): ExternalCredentials {
  const form = "postgresql://user:password@host:5432/name";
  if (role === undefined) {
    const url = reader.secret("databaseUrl", `the database's URL, ${form}`);
    return { url, migrationUrl: reader.optionalSecret("migrationDatabaseUrl") };
  }
  return {
    url: reader.secret("databaseUrl", `the URL of role ${role}, ${form}`),
    migrationUrl: reader.secret(
      "migrationDatabaseUrl",
      `the URL of the role that migrates, ${form}, where roles is two`,
    ),
  };
}

function readPasswords(reader: SettingsReader, role: string | undefined): OwnedCredentials {
  const password = reader.secret("databasePassword", "the password of the database that the stack will own");
  if (role === undefined) return { password };
  const own = reader.secret("applicationPassword", `the password of role ${role} where roles is two`);
  return { password, application: { role, password: own } };
}
