import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kubectl } from "../../src/cluster/kubectl.ts";
import { names } from "../../src/manifests/names.ts";

/** Data folder of a stack's own PostgreSQL. */
const data = "/var/lib/postgresql/data/pgdata";

/**
 * Enables TLS for a host name in a stack's own PostgreSQL.
 *
 * @returns The self-signed certificate, in PEM.
 */
export async function offerTls(kubectl: Kubectl, host: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "unity-tls-"));
  const [certificate, key] = [join(folder, "server.crt"), join(folder, "server.key")];
  try {
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", "/CN=unity"];
    const name = ["-addext", `subjectAltName=DNS:${host}`, "-out", certificate, "-keyout", key];
    execFileSync("openssl", [...request, ...name], { stdio: "ignore" });
    const pod = `deployment/${names.postgres}`;
    for (const file of [certificate, key]) {
      const write = `umask 077; cat > ${data}/${file.slice(folder.length + 1)}`;
      await kubectl.exec(pod, names.postgres, ["sh", "-c", write], readFileSync(file, "utf8"));
    }
    const psql = ["psql", "-U", names.databaseOwner, "-d", names.database];
    const statements = ["-c", "ALTER SYSTEM SET ssl = on", "-c", "SELECT pg_reload_conf()"];
    await kubectl.exec(pod, names.postgres, [...psql, ...statements]);
    return readFileSync(certificate, "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
