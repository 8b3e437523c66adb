import type { types } from "@pulumi/kubernetes";

/** Modes of TLS, as `sslmode` of libpq. */
export const tlsModes = ["disable", "require", "verify-full"] as const;

/** TLS settings of database sessions. */
export interface DatabaseTls {
  /** libpq's `sslmode`. */
  readonly mode: (typeof tlsModes)[number];
  /**
   * Secret whose `ca.crt` verifies the server's certificate.
   *
   * @defaultValue the certificate is not verified
   */
  readonly caSecretName?: string | undefined;
}

/** Key of the certificate in its Secret, as in Secrets of cert-manager and PostgreSQL operators. */
export const caKey = "ca.crt";

/** Name of the CA's volume, and folder where it is mounted. */
export const databaseCa = { volume: "database-ca", mountPath: "/etc/database-ca" } as const;

/**
 * Returns environment variables that configure libpq in every process of a container.
 *
 * @param tls - TLS settings; without them, libpq uses TLS if the server offers it.
 */
export function tlsVariables(tls: DatabaseTls | undefined): types.input.core.v1.EnvVar[] {
  if (tls === undefined) return [];
  const variables = [{ name: "PGSSLMODE", value: tls.mode as string }];
  if (tls.caSecretName !== undefined)
    variables.push({ name: "PGSSLROOTCERT", value: `${databaseCa.mountPath}/${caKey}` });
  return variables;
}

/** Returns the volumes that {@link tlsMounts} mounts. */
export function tlsVolumes(tls: DatabaseTls | undefined): types.input.core.v1.Volume[] {
  if (tls?.caSecretName === undefined) return [];
  const items = [{ key: caKey, path: caKey }];
  return [{ name: databaseCa.volume, secret: { secretName: tls.caSecretName, items } }];
}

/** Returns the mounts of the CA certificate. */
export function tlsMounts(tls: DatabaseTls | undefined): types.input.core.v1.VolumeMount[] {
  if (tls?.caSecretName === undefined) return [];
  return [{ name: databaseCa.volume, mountPath: databaseCa.mountPath, readOnly: true }];
}
