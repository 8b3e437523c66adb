import type { types } from "@pulumi/kubernetes";

/** How sessions with the database are encrypted, as libpq's `sslmode` has it. */
export interface DatabaseTls {
  readonly mode: "disable" | "require" | "verify-full";
  /**
   * Secret whose `ca.crt` the server's certificate is verified by.
   *
   * @defaultValue the certificate is not verified
   */
  readonly caSecretName?: string | undefined;
}

/** Key of the certificate in its Secret, as cert-manager and the operators of PostgreSQL name it. */
export const caKey = "ca.crt";

const mountPath = "/etc/unity-database-ca";

/**
 * What libpq takes from the environment, in every process of a container: `sslmode` and the authority's certificate.
 *
 * @param tls libpq's own default, which takes TLS where the server offers it, if there is none.
 */
export function tlsVariables(tls: DatabaseTls | undefined): types.input.core.v1.EnvVar[] {
  if (tls === undefined) return [];
  const ca = tls.caSecretName === undefined ? [] : [{ name: "PGSSLROOTCERT", value: `${mountPath}/${caKey}` }];
  return [{ name: "PGSSLMODE", value: tls.mode }, ...ca];
}

/** The volume that {@link tlsMounts} mounts. */
export function tlsVolumes(tls: DatabaseTls | undefined): types.input.core.v1.Volume[] {
  if (tls?.caSecretName === undefined) return [];
  const items = [{ key: caKey, path: caKey }];
  return [{ name: "database-ca", secret: { secretName: tls.caSecretName, items } }];
}

/** Where a container finds the authority's certificate. */
export function tlsMounts(tls: DatabaseTls | undefined): types.input.core.v1.VolumeMount[] {
  return tls?.caSecretName === undefined ? [] : [{ name: "database-ca", mountPath, readOnly: true }];
}
