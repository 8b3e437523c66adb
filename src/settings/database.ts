import { objectNamePattern } from "../lockfile/shape.ts";
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
import type { DatabaseAccess, ExternalDatabase, OwnedDatabase } from "./settings.ts";

// Needs no quotes in SQL; with hyphens for its underscores, it is part of a Secret's name.
const roleName = /^(?!pg_)[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const urlForm = "postgresql://user:password@host:5432/name";

/** Reads the database access settings. */
export function readAccess(reader: SettingsReader): DatabaseAccess {
  const namedRole = readRoleName(reader);
  const isSeparate = reader.oneOf("databaseRoles", ["shared", "separate"]) === "separate";
  if (isSeparate && (namedRole === names.databaseOwner || namedRole.length > 63)) {
    const allowed = `a role other than ${names.databaseOwner}, of at most 63 characters`;
    reader.error("applicationRole", namedRole, allowed, "applicationRole homelab_app");
  }
  const applicationRole = isSeparate ? namedRole : undefined;
  return {
    applicationRole,
    namedRole,
    databaseSecrets: readSecrets(reader, applicationRole),
    databaseTls: readTls(reader),
    networkPolicies: reader.flag("networkPolicies"),
  };
}

function readRoleName(reader: SettingsReader): string {
  const allowed = "a role name of lowercase letters, digits, and single underscores";
  return reader.text("applicationRole", roleName, allowed, "homelab_app");
}

function readSecrets(reader: SettingsReader, applicationRole: string | undefined): DatabaseSecrets {
  const application = readSecretName(reader, "databaseSecret");
  const migrations = readSecretName(reader, "migrationSecret");
  if (application === undefined) {
    if (migrations !== undefined)
      reader.error("databaseSecret", undefined, "set if migrationSecret is set", "databaseSecret my-secret");
    return ownSecrets(applicationRole);
  }
  if (applicationRole === undefined) {
    if (migrations !== undefined)
      reader.error("databaseRoles", "shared", '"separate" if migrationSecret is set', "databaseRoles separate");
    return { application, migrations: application, existing: true };
  }
  if (migrations === undefined || migrations === application) {
    const allowed = "a Secret other than databaseSecret, with the URL of the role that migrates";
    reader.error("migrationSecret", migrations, allowed, "migrationSecret my-migration-secret");
  }
  return { application, migrations: migrations ?? application, existing: true };
}

function readSecretName(reader: SettingsReader, key: "databaseSecret" | "migrationSecret"): string | undefined {
  const name = reader.optional(key, objectNamePattern, "the name of a Secret in the namespace", "my-secret");
  if (name !== undefined && isOwnSecret(name))
    reader.error(key, name, "a name that the program doesn't use for its own Secrets", `${key} my-secret`);
  return name;
}

function readTls(reader: SettingsReader): DatabaseTls | undefined {
  const mode = reader.oneOf("databaseTls", ["prefer", "disable", "require", "verify-full"]);
  const allowed = "a Secret with the key ca.crt";
  const caSecretName = reader.optional("databaseCaSecret", objectNamePattern, allowed, "my-database-ca");
  if (mode === "verify-full" && caSecretName === undefined) {
    const required = `${allowed} if databaseTls is "verify-full"`;
    reader.error("databaseCaSecret", undefined, required, "databaseCaSecret my-database-ca");
  }
  if (mode !== "verify-full" && caSecretName !== undefined)
    reader.error("databaseTls", mode, '"verify-full" if databaseCaSecret is set', "databaseTls verify-full");
  return mode === "prefer" ? undefined : { mode, caSecretName };
}

/** Reads the settings of the database, and its credentials unless they are in existing Secrets. */
export function readDatabase(
  reader: SettingsReader,
  image: string,
  { applicationRole, databaseSecrets: { existing }, databaseTls, networkPolicies }: DatabaseAccess,
): OwnedDatabase | ExternalDatabase {
  const kind = reader.oneOf("database", ["owned", "external"]);
  if (kind === "external") {
    const ports = networkPolicies ? readPorts(reader) : undefined;
    const credentials = existing ? undefined : { ...readUrls(reader, applicationRole), ports };
    return { kind, credentials, ports };
  }
  if (databaseTls !== undefined && databaseTls.mode !== "disable") {
    const allowed = "prefer or disable for an owned database, which has no TLS";
    reader.error("databaseTls", databaseTls.mode, allowed, "databaseTls prefer");
  }
  const storage = reader.size("databaseStorage");
  const credentials = existing ? undefined : readPasswords(reader, applicationRole);
  return { kind, image, storage, credentials };
}

function readPorts(reader: SettingsReader): readonly number[] {
  const allowed = "comma-separated TCP ports";
  const items = reader.list("databasePorts", allowed, "5432");
  const ports = items.map(Number);
  if (items.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
    reader.error("databasePorts", items.join(","), allowed, "databasePorts 5432");
  return ports;
}

function readUrls(reader: SettingsReader, applicationRole: string | undefined): ExternalCredentials {
  if (applicationRole === undefined) {
    const url = reader.secret("databaseUrl", `the URL of the database, ${urlForm}`);
    return { url, migrationUrl: reader.optionalSecret("migrationDatabaseUrl") };
  }
  const url = reader.secret("databaseUrl", `the URL of role ${applicationRole}, ${urlForm}`);
  const allowed = `the URL of the role that migrates, ${urlForm}, if databaseRoles is "separate"`;
  return { url, migrationUrl: reader.secret("migrationDatabaseUrl", allowed) };
}

function readPasswords(reader: SettingsReader, applicationRole: string | undefined): OwnedCredentials {
  const password = reader.secret("databasePassword", "the password of the owned database's owner");
  if (applicationRole === undefined) return { password };
  const allowed = `the password of role ${applicationRole} if databaseRoles is "separate"`;
  return { password, application: { role: applicationRole, password: reader.secret("applicationPassword", allowed) } };
}
